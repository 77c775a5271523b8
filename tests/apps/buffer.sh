#!/bin/sh
# buffer(1): one process reads into a ring of blocks in a shared segment, another writes them out;
# semaphores tell them how far they are.
# needs: buffer seq cksum head ipcs

through() {
  seq 1 300000 | buffer "$@" | cksum
}

seq 1 300000 | cksum
through
through -s 512
through -s 4k -m 64k -p 75
seq 1 300000 | buffer -s 1k | buffer -s 3k | buffer | cksum
seq 1 100000 | buffer -S 100k 2>/dev/null | cksum
# Its reader goes away.
seq 1 300000 | buffer 2>/dev/null | head -n 2
: | buffer | cksum
ipcs -s
ipcs -m

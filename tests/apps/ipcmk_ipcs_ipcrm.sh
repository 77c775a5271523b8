#!/bin/sh
# util-linux's tools make, list, describe and remove queues.
# needs: ipcmk ipcs ipcrm perl
# random keys

run() {
  echo "\$ $*"
  "$@" 2>&1
  echo "status $?"
}
# ipcs also tells of semaphores and segments; this is about queues.
about_messages() {
  sed -n '/Messages/,/^$/p'
}
# Two pids at the end of a line.
hide_pids() {
  awk -v sender="$1" -v receiver="$2" '
    NF == 4 { if ($3 == sender) $3 = "SENDER"; if ($4 == receiver) $4 = "RECEIVER" }
    { print }'
}

run ipcmk -Q
run ipcmk -Q -p 0600
run ipcmk -Q -p 0
run ipcs -q
run ipcs -q -i 0
run ipcs -q -i 7
run ipcs -q -l
run ipcs -q -u
run ipcs -q -t
run ipcs -q -c
ipcs -l | about_messages
ipcs -u | about_messages

# Two messages in, one of them out again.
sender=$(perl -e 'msgsnd(0, pack("l! a*", 1, "x" x 100), 0) && msgsnd(0, pack("l! a*", 2, "y" x 23), 0) or die "msgsnd: $!"; print $$')
receiver=$(perl -e 'defined msgrcv(0, $text, 200, 2, 0) or die "msgrcv: $!"; print $$')
run ipcs -q
ipcs -q -p | hide_pids "$sender" "$receiver"
ipcs -q -t | sed 's/Not set/never/g'
ipcs -q -i 0 | sed "s/lspid=$sender\>/lspid=SENDER/; s/lrpid=$receiver\>/lrpid=RECEIVER/"
ipcs -u | about_messages

run ipcrm -q 0
run ipcs -q
run ipcmk -Q
key=$(ipcs -q | awk '$2 == 3 { print $1 }')
run ipcrm -Q "$key"
run ipcrm -q 77
run ipcrm -Q 0x00004711
run ipcrm -q 1 -q 2
run ipcs -q
run ipcmk -Q
run ipcmk -Q
run ipcrm --all=msg
run ipcs -q
run ipcs -q -u

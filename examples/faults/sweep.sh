#!/bin/sh
# Faults as a shell's tests: cc -o worker worker.c && ./sweep.sh ./worker
set -eu
worker=${1:-./worker}

# The third answer can't be sent: that must be told.
if ipcell run --deny --fault 'msgsnd@3=err(ENOMEM)' -- "$worker"; then
  echo 'the worker did not notice' >&2
  exit 1
fi

# All that Linux could do to it. The state lets a sweep that was cut off go on, and CI keeps the page.
ipcell sweep --budget 5min --state sweep.state --report sweep.html -- "$worker"

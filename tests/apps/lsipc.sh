#!/bin/sh
# lsipc lists queues, as a table and as JSON.
# needs: ipcmk ipcrm lsipc perl
# random keys

run() {
  echo "\$ $*"
  "$@" 2>&1
  echo "status $?"
}
pid_is() {
  [ "$1" = "$2" ] && echo "$3" || echo "$1, which is not $3 ($2)"
}

run ipcmk -Q
run ipcmk -Q -p 0620
run lsipc -q
run lsipc -q --json
run lsipc -q --creator --raw
run lsipc -q -i 0
run lsipc -q -i 5
run lsipc -q --noheadings -o ID,PERMS,CUID,CGID,UID,GID
lsipc | grep MSG

sender=$(perl -e 'msgsnd(1, pack("l! a*", 3, "z" x 2000), 0) or die "msgsnd: $!"; print $$')
run lsipc -q --bytes --noheadings -o ID,USEDBYTES,MSGS
pid_is "$(lsipc -q -i 1 --raw --noheadings -o LSPID)" "$sender" 'the sender'
receiver=$(perl -e 'defined msgrcv(1, $text, 2000, 0, 0) or die "msgrcv: $!"; print $$')
run lsipc -q --bytes --noheadings -o ID,USEDBYTES,MSGS
pid_is "$(lsipc -q -i 1 --raw --noheadings -o LRPID)" "$receiver" 'the receiver'
lsipc | grep MSGMNI

run ipcrm -q 0
run lsipc -q --noheadings -o KEY,ID,MSGS

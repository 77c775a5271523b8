#!/bin/sh
# lsipc lists semaphore sets, as a table and as JSON.
# needs: ipcmk ipcrm lsipc perl
# random keys

run() {
  echo "\$ $*"
  "$@" 2>&1
  echo "status $?"
}

run ipcmk -S 2
run ipcmk -S 5 -p 0620
run lsipc -s
run lsipc -s --json
run lsipc -s --creator --raw
run lsipc -s --time --time-format iso
run lsipc -s -i 0
run lsipc -s -i 5
run lsipc -s --noheadings -o ID,PERMS,CUID,CGID,UID,GID,NSEMS
lsipc | grep SEM

# The last to use a semaphore is named as long as it is there.
perl -e '
  semop 0, pack("s!3 s!3", 0, 3, 0, 1, 4, 0) or die "semop: $!";
  print qx(lsipc -s -i 0) =~ s/\b$$\b/OPERATOR/gr;'
lsipc -s --noheadings --time-format iso -o ID,NSEMS,OTIME

run ipcrm -s 0
run lsipc -s --noheadings -o KEY,ID,NSEMS
lsipc | grep SEMMN

#!/bin/sh
# Every list that ipcs and lsipc have, of objects of all three kinds that programs have used, and
# every way to remove them.
# needs: ipcmk ipcs ipcrm lsipc perl
# random keys

# With the user's pid hidden.
run() {
  echo "\$ $*"
  "$@" 2>&1 | sed "s/\<$user\>/USER/g"
}

all_ways() {
  for kind in '' -m -q -s; do
    run ipcs $kind
    run ipcs $kind --time
    run ipcs $kind --creator
    run ipcs $kind --limits
    run ipcs $kind --summary
  done
  run ipcs --all
  run ipcs -q --pid
  run ipcs -m --pid
  run ipcs --pid
  run ipcs --human
  run ipcs --bytes
  run ipcs -m -b
  run ipcs -l --human
  run ipcs -u --bytes
  for id in 0 1 2 3 99; do
    run ipcs -m -i $id
    run ipcs -q -i $id
    run ipcs -s -i $id
  done
  run lsipc
  for kind in -m -q -s; do
    run lsipc --global $kind
    for form in --list --json --raw --export --newline --bytes --creator --time --noheadings --notruncate; do
      run lsipc $kind $form
    done
    run lsipc $kind --time --creator --shell
    run lsipc $kind --numeric-perms
    run lsipc $kind --time-format=iso --time
    run lsipc $kind -i 1
    run lsipc $kind -i 99
  done
  run lsipc -m --raw --noheadings -o ID,PERMS,OWNER,SIZE,NATTCH,STATUS,CUSER,CUID,CGID,UID,GID,USER,GROUP
  run lsipc -q --raw --noheadings -o ID,PERMS,OWNER,USEDBYTES,MSGS,CUSER,CUID,CGID,UID,GID
  run lsipc -s --raw --noheadings -o ID,PERMS,OWNER,NSEMS,CUSER,CUID,CGID,UID,GID
}

user=nobody
all_ways
ipcmk -Q -p 0600 >/dev/null
ipcmk -Q -p 0 >/dev/null
ipcmk -M 100 -p 0644 >/dev/null
ipcmk -M 123456789 >/dev/null
ipcmk -S 3 -p 0660 >/dev/null
ipcmk -S 1 >/dev/null
# Used by one program; it is gone when they are listed.
user=$(perl -e '
  msgsnd(0, pack("l! a*", 1, "x" x 100), 0) or die "msgsnd: $!";
  msgsnd(0, pack("l! a*", 2, "y" x 20), 0) or die "msgsnd: $!";
  defined msgrcv(0, my $text, 200, 2, 0) or die "msgrcv: $!";
  shmwrite(0, "text", 0, 4) or die "shmwrite: $!";
  semop(0, pack("s!3", 1, 5, 0)) or die "semop: $!";
  print $$;')
run ipcs
for kind in '' -m -q -s; do
  run ipcs $kind --time
  run ipcs $kind --creator
  run ipcs $kind --summary
  run ipcs $kind --limits
done
run ipcs -q --pid
run ipcs -q -i 0
run ipcs -q -i 1
run ipcs -s -i 0
run ipcs -s -i 1
run ipcs -m -i 1 | grep -v pid
run lsipc
for kind in -q -s; do
  for form in --list --raw --json --bytes --creator --time; do
    run lsipc $kind $form
  done
done
run lsipc -m --raw --noheadings -o KEY,ID,PERMS,OWNER,SIZE,NATTCH,STATUS,ATTACH,DETACH,CHANGE
run lsipc -s -i 0 --raw --noheadings -o ID,NSEMS,OTIME

run ipcrm -m 1
run ipcrm -q 1 -s 1
run ipcrm -m 1
run ipcs
run ipcrm --all=shm
run ipcrm --all=sem
run ipcs
run ipcrm --all=msg
ipcmk -Q -M 10 -S 1 >/dev/null
run ipcs
run ipcrm --all --verbose
run ipcs

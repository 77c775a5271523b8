#!/bin/bash
# util-linux's programs for namespaces: unshare, nsenter, lsns; also what bash and perl see of them.
# needs: unshare nsenter lsns ipcmk ipcs ipcrm perl readlink stat
# random keys

# The number of the shell's namespace is SHELL, that of the one in the background BESIDE, all others
# are OTHER: the kernel uses them again at once.
shell=$(readlink /proc/$$/ns/ipc | tr -dc 0-9)
beside=none other=none
named() {
  sed -E "s/\b$shell\b/SHELL/g; s/\b$beside\b/BESIDE/g; s/\b[0-9]{10}\b/OTHER/g; s/\b$other\b/PID/g"
}
run() {
  echo "\$ $*"
  "$@" 2>&1
  echo "status $?"
}

# It gives up when a process of the machine ends while it reads of it.
steady_lsns() {
  local list
  for try in $(seq 50); do
    list=$(lsns "$@" 2>/dev/null) && [ -n "$list" ] && break
    sleep 0.02
  done
  echo "$list"
}

{
readlink /proc/$$/ns/ipc /proc/self/ns/ipc /proc/thread-self/ns/ipc
stat -Lc '%F %i %a %s %h %U' /proc/self/ns/ipc
stat -c '%F %a %h %U %N' /proc/self/ns/ipc
ls -l /proc/self/ns | awk '/ipc/ {print $1, $9, $10, $11}'
ipcmk -Q
unshare -i sh -c 'readlink /proc/self/ns/ipc; ipcs -q; ipcmk -Q; ipcmk -S 3; ipcs -q -s'
ipcs -q
} 2>&1 | named

# One in the background is entered, listed, and left.
unshare -i sh -c 'ipcmk -M 4096 >/dev/null; exec sleep 100' &
other=$!
while ! nsenter -i -t $other ipcs -m 2>/dev/null | grep -q 4096; do sleep 0.05; done
beside=$(readlink /proc/$other/ns/ipc | tr -dc 0-9)
{
run readlink /proc/$other/ns/ipc
run nsenter -t $other -i readlink /proc/self/ns/ipc
run nsenter --ipc=/proc/$other/ns/ipc ipcs -m
run nsenter -t $other -i ipcmk -Q
run nsenter -t $other -i ipcrm -m 0
run nsenter -t $other -i ipcs -m -q
steady_lsns -l -t ipc -n -o NS,TYPE,COMMAND | grep -E 'sleep|bash' | sed 's/bash .*/bash/' | sort -k3
steady_lsns -t ipc -n -o NS,TYPE,NPROCS,PID -p $other | sed "s/\b$other\b/PID/"
run nsenter --ipc=/dev/null true
} 2>&1 | named
kill $other
wait $other 2>/dev/null
beside=none
{
run nsenter -t $other -i true

# Inside of each other; with namespaces of other kinds; a shell that comes back by its descriptor.
unshare -i sh -c 'ipcmk -Q; unshare -i sh -c "ipcs -q; ipcmk -S 1; readlink /proc/self/ns/ipc"; ipcs -q -s'
unshare -iu sh -c 'hostname inside; hostname; ipcs -q'
unshare -i -f -p --mount-proc sh -c 'echo $$; ipcmk -Q; ipcs -q; readlink /proc/1/ns/ipc; readlink /proc/self/ns/ipc'
exec 5</proc/self/ns/ipc
unshare -i sh -c 'ipcs -q; nsenter --ipc=/proc/self/fd/5 ipcs -q; readlink /proc/self/fd/5 /proc/self/ns/ipc'
exec 5<&-

# Kept by a mount, without a process.
place=$(mktemp -d)
mount -t tmpfs none "$place" && mount --make-private "$place" && touch "$place/ipc"
unshare --ipc="$place/ipc" sh -c 'ipcmk -Q; ipcmk -S 2'
unshare -i true
nsenter --ipc="$place/ipc" ipcs -q -s
nsenter --ipc="$place/ipc" readlink /proc/self/ns/ipc
umount "$place/ipc"
cat "$place/ipc"
umount "$place"
rmdir "$place"

# By system call, and back.
perl -e '
  require "syscall.ph" if 0;
  my ($setns, $unshare, $new) = (308, 272, 0x08000000);
  sub own { readlink "/proc/self/ns/ipc" }
  open my $first, "<", "/proc/self/ns/ipc" or die;
  print own(), " ", defined(msgget(99, 01600)) ? "made" : $!, "\n";
  print syscall($unshare, $new), " ", own(), " ", defined(msgget(99, 0)) ? "there" : $!, "\n";
  print syscall($setns, fileno $first, 0), " ", own(), " ", defined(msgget(99, 0)) ? "there" : $!, "\n";
  system "readlink /proc/self/ns/ipc";
  print syscall($unshare, $new), "\n";
  system "readlink /proc/self/ns/ipc; ipcs -q";
  print `readlink /proc/self/ns/ipc`;
  exec "readlink", "/proc/self/ns/ipc"'
ipcs -q
ipcrm -a
} 2>&1 | named

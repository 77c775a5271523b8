#!/bin/sh
# util-linux's tools make, list, describe and remove segments.
# needs: ipcmk ipcs ipcrm perl
# random keys

run() {
  echo "\$ $*"
  "$@" 2>&1
  echo "status $?"
}
# ipcs also tells of queues and semaphores; this is about segments.
about_segments() {
  sed -n '/Shared Memory/,/^$/p'
}
# The given pids become A, B, ...; those of ipcmk, before them, M.
hide_pids() {
  perl -pe '
    BEGIN { $name = "A"; %name = map { $_ => $name++ } splice @ARGV }
    s/\b(\d+)\b/$name{$1} \/\/ $1/ge if /pid=/ or /^\d/ && (@fields = split) == 4;
    s/(cpid=)\d+/$1M/; s/^(\d+ +\w+ +)\d{2,}( )/$1M$2/' "$@"
}
# Pages of a segment that was used are in memory, more or less of them.
hide_resident() {
  sed 's/^\(pages resident *\)[1-9].*/\1some/'
}
# Attaches a segment until it is killed. Its pid, once it has it, is in $holder.
hold() {
  perl -MIPC::SysV=shmat,memwrite -e '
    $address = shmat $ARGV[0], undef, $ARGV[1] or die "shmat: $!\n";
    memwrite $address, "held", 0, 4 unless $ARGV[1];
    alarm 40;
    sleep 1 while 1' "$@" &
  holder=$!
  for _ in $(seq 400); do
    ipcs -m -p | awk '{ print $4 }' | grep -qx "$holder" && return
    sleep 0.02
  done
  echo 'it never attaches'
}
perl -MIPC::SysV=shmat,memwrite -e 1 2>/dev/null || exit 77

run ipcmk -M 10000
run ipcmk -M 4096 -p 0600
run ipcmk -M 1 -p 0
run ipcmk -M 2MiB -p 0666
run ipcmk -M 0
run ipcmk -M 8E
run ipcmk -M 1P
run ipcmk -M many
run ipcs -m
run ipcs -m -i 0 | hide_pids
run ipcs -m -i 7
run ipcs -m -l
run ipcs -m -u
run ipcs -m -t
run ipcs -m -c
run ipcs -m -b
run ipcs -m --human
ipcs -m -p | hide_pids
run ipcs -a
ipcs -l | about_segments
ipcs -u | about_segments

echo '--- attached'
hold 0 0
first=$holder
hold 0 010000  # SHM_RDONLY
second=$holder
run ipcs -m
ipcs -m -p | hide_pids "$first" "$second"
ipcs -m -t | sed 's/Not set/never/g'
ipcs -m -i 0 | hide_pids "$first" "$second"
ipcs -m -u | hide_resident

echo '--- removed while attached'
run ipcrm -m 0
run ipcs -m
run ipcs -m -i 0 | hide_pids "$first" "$second"
kill -9 "$first"
wait "$first" 2>/dev/null
echo "a holder ends with status $?"
run ipcs -m
ipcs -m -p | hide_pids "$first" "$second"
run ipcrm -m 0
hold 0 0
third=$holder
kill "$second"
wait "$second" 2>/dev/null
echo "a holder ends with status $?"
run ipcs -m
kill -9 "$third"
wait "$third" 2>/dev/null
echo "the last ends with status $?"
run ipcs -m
run ipcs -m -i 0
run ipcs -m -u

echo '--- locked'
perl -e 'shmctl 1, 11, 0 or die "SHM_LOCK: $!\n"'
run ipcs -m
perl -e 'shmctl 1, 12, 0 or die "SHM_UNLOCK: $!\n"'
run ipcs -m

echo '--- removed'
key=$(ipcs -m | awk '$2 == 3 { print $1 }')
run ipcrm -M "$key"
run ipcrm -M "$key"
run ipcrm -m 77
run ipcrm -M 0x00004711
run ipcrm -M 0
run ipcrm -m 1 -m 2
run ipcs -m
run ipcmk -M 100
run ipcmk -M 100
run ipcrm --all=shm
run ipcs -m
run ipcs -m -u

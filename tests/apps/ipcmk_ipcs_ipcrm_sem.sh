#!/bin/sh
# util-linux's tools make, list, describe and remove semaphore sets.
# needs: ipcmk ipcs ipcrm perl
# random keys

run() {
  echo "\$ $*"
  "$@" 2>&1
  echo "status $?"
}
# ipcs also tells of queues and segments; this is about semaphores.
about_semaphores() {
  sed -n '/Semaphore/,/^$/p'
}
# The pids of last operations, at the end of lines of five numbers: the given ones become A, B, ...
hide_pids() {
  awk -v pids="$*" '
    BEGIN { count = split(pids, list) }
    NF == 5 { for (n = 1; n <= count; n++) if ($5 == list[n]) $5 = sprintf("%c", 64 + n) }
    { print }'
}
# Several operations in one call, as "number,amount,flags"; prints the pid.
operate() {
  perl -e '
    my $id = shift;
    semop $id, join "", map { pack "s!3", split /,/ } @ARGV or die "semop: $!\n";
    print $$' "$@"
}

run ipcmk -S 3
run ipcmk -S 1 -p 0600
run ipcmk -S 32000 -p 0
run ipcmk -S 0
run ipcmk -S 32001
run ipcs -s
run ipcs -s -i 0
run ipcs -s -i 7
run ipcs -s -l
run ipcs -s -u
run ipcs -s -t
run ipcs -s -c
ipcs -l | about_semaphores
ipcs -u | about_semaphores

# One semaphore goes up, another up and down again; the third was never used.
first=$(operate 0 0,5,0 1,7,0 1,-4,0)
ipcs -s -i 0 | hide_pids "$first"
ipcs -s -t | sed 's/Not set/never/g'
# What is undone at the end of its process, by that process.
second=$(operate 0 0,-2,$((0x1000)) 2,1,$((0x1000)))
ipcs -s -i 0 | hide_pids "$first" "$second"

# Sleepers are counted: one waits for zero, two for more.
await_sleepers() {
  for _ in $(seq 200); do
    [ "$(ipcs -s -i 0 | awk '$1 ~ /^[0-9]+$/ { n += $3 + $4 } END { print n }')" = "$1" ] && return
    sleep 0.05
  done
  echo "never $1 sleepers"
}
sleepers=
sleep_in() {
  perl -e 'alarm 40; exit(semop(0, pack("s!3", @ARGV)) ? 0 : $!)' "$@" &
  sleepers="$sleepers $!"
}
sleep_in 0 0 0
sleep_in 1 -10 0
sleep_in 2 -1 0
await_sleepers 3
ipcs -s -i 0 | awk 'NF == 5 && $1 ~ /^[0-9]+$/ { print $1, $2, $3, $4 }'
operate 0 2,1,0 > /dev/null
await_sleepers 2
ipcs -s -i 0 | awk 'NF == 5 && $1 ~ /^[0-9]+$/ { print $1, $2, $3, $4 }'
run ipcrm -s 0
for pid in $sleepers; do
  wait "$pid"
  echo "a sleeper ends with status $?"
done

run ipcs -s
run ipcmk -S 2
key=$(ipcs -s | awk '$2 == 3 { print $1 }')
run ipcrm -S "$key"
run ipcrm -s 77
run ipcrm -S 0x00004711
run ipcrm -s 1 -s 2
run ipcs -s
run ipcmk -S 1
run ipcmk -S 1
run ipcrm --all=sem
run ipcs -s
run ipcs -s -u

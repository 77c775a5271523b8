#!/bin/sh
# A job of many processes, joined by pipes and by queues: jobs come down a pipe, three workers take
# them from one queue and put what they make of them into another.
# needs: ipcmk ipcs ipcrm perl seq sort cksum

jobs=$(ipcmk -Q | sed 's/.*: //')
results=$(ipcmk -Q | sed 's/.*: //')
export jobs results

worker() {
  perl -e '
    while (1) {
      msgrcv $ENV{jobs}, my $job, 100, 0, 0 or die "msgrcv: $!";
      my ($type, $number) = unpack "l! a*", $job;
      last if $number eq "end";
      msgsnd $ENV{results}, pack("l! a*", $type, $number * $number), 0 or die "msgsnd: $!";
    }'
  echo "a worker ends with status $?"
}

collect() {
  perl -e '
    for (1 .. $ARGV[0]) {
      msgrcv $ENV{results}, my $result, 100, 0, 0 or die "msgrcv: $!";
      print join(" ", unpack "l! a*", $result), "\n";
    }' "$1"
}

worker & worker & worker &

# More than the queues hold: senders have to wait for workers, workers for the collector.
seq 1 5000 | perl -ne '
  chomp;
  msgsnd $ENV{jobs}, pack("l! a*", $_ % 7 + 1, $_), 0 or die "msgsnd: $!";' &

collect 5000 | awk '{ sum += $2; types[$1]++ } END { printf "%d results, in all %d\n", NR, sum; for (n = 1; n <= 7; n++) print "type", n, types[n] }'

seq 1 300 | while read -r number; do echo "$number"; done | perl -ne '
  chomp;
  msgsnd $ENV{jobs}, pack("l! a*", 1, $_), 0 or die "msgsnd: $!";' &
collect 300 | cut -d " " -f 2 | sort -n | cksum

for _ in 1 2 3; do
  perl -e 'msgsnd $ENV{jobs}, pack("l! a*", 1, "end"), 0 or die "msgsnd: $!"'
done
wait
ipcs -q | awk '$2 ~ /^[0-9]+$/ { print "queue", $2, "holds", $6, "messages" }'
ipcrm -q "$jobs" -q "$results" && echo 'both removed'

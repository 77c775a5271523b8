#!/bin/sh
# Commands under a lock, semlock's: many that count, and some that are killed with the lock in their
# hands, or as they wait for it. SEMLOCK names the program.
# needs: ipcs ipcrm awk

: "${SEMLOCK:?}"
key=0x10cc
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
# The shell tells of killed jobs at one time or another; what else is said is shown at the end.
exec 2> errors
echo 0 > count
: > journal

locked() {
  "$SEMLOCK" "$key" "$@"
}
# With & its pid is semlock's, then the command's.
become_locked() {
  exec "$SEMLOCK" "$key" "$@"
}
# Reads, thinks, writes: without the lock others would do so meanwhile.
count_up='read -r n < count; echo "$((n + 1))" > new; mv new count'
# Value, and how many wait for more.
state() {
  ipcs -s -i "$(ipcs -s | awk '$5 == 1 { print $2 }')" |
    awk '$1 == "0" && NF == 5 { print "value " $2 ", waiting " $3 }'
}
await_state() {
  for _ in $(seq 400); do
    [ "$(state)" = "$1" ] && return
    sleep 0.05
  done
  echo "never '$1', but '$(state)'"
}
await_line() {
  for _ in $(seq 400); do
    grep -qx "$1" journal && return
    sleep 0.05
  done
  echo "never '$1'"
}

# The first of them makes the lock, while the others look for it.
for _ in 1 2 3 4; do
  (for _ in $(seq 40); do locked sh -c "$count_up"; done) &
done
wait
echo "counted $(cat count), $(state)"

locked false
echo "status of a command: $?, $(state)"
locked no-such-command 2>&1
echo "status: $?, $(state)"

# A holder is killed; two wait.
become_locked sh -c 'echo held >> journal; exec sleep 60' &
holder=$!
await_line held
become_locked sh -c 'echo next >> journal' &
first=$!
await_state 'value 0, waiting 1'
become_locked sh -c 'echo next >> journal' &
second=$!
await_state 'value 0, waiting 2'
kill -9 $holder
wait $first $second
echo "both have had it: $(tr '\n' ' ' < journal)"
wait $holder
echo "status of the killed: $?, $(state)"

# One that waits is killed.
become_locked sh -c 'echo held again >> journal; exec sleep 60' &
holder=$!
await_line 'held again'
become_locked echo 'this is never said' &
waiter=$!
await_state 'value 0, waiting 1'
kill -9 $waiter
wait $waiter
echo "status of the killed: $?, $(state)"
kill -TERM $holder
wait $holder
echo "status of the terminated: $?, $(state)"

# Killed at any time: in the lock, before it, behind it; while another counts on.
(until [ -e stop ]; do locked sh -c "$count_up"; done) &
worker=$!
for delay in 0 0.001 0.002 0.003 0.004 0.006 0.008 0.01 0.015 0.02; do
  become_locked sh -c "$count_up" &
  victim=$!
  sleep $delay
  kill -9 $victim
  wait $victim
done
: > stop
wait $worker
locked echo 'there is nobody left in the lock'
await_state 'value 1, waiting 0'
state

ipcrm -S $key && ipcs -s
grep -vE '^(Killed|Terminated|.*No such process|mv: .*)?$' errors
true

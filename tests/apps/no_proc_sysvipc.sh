#!/bin/sh
# /proc/sysvipc on a kernel that has no System V IPC: an empty filesystem hides the kernel's files.
# Commands find the folder, list it and read its files. Needs root.
set -eu
if [ $# -eq 0 ]; then
  unshare --mount true 2>/dev/null || { echo 'skipped: needs the right to mount'; exit 77; }
  exec unshare --mount -- "$0" hidden
fi
if [ "$1" = hidden ]; then
  mount -t tmpfs ipcell-test /proc/sysvipc || { echo 'skipped: no /proc/sysvipc to hide'; exit 77; }
  [ ! -e /proc/sysvipc/msg ]
  exec "${IPCELL:?}" run -- "$0" inside
fi

expect() {
  if [ "$2" != "$3" ]; then
    echo "$1: expected \"$2\", got \"$3\""
    exit 1
  fi
}
names='msg sem shm '
ipcmk -Q >/dev/null
expect ls "$names" "$(ls /proc/sysvipc | tr '\n' ' ')"
expect 'ls -l' "3" "$(ls -l /proc/sysvipc | grep -c '^-r--r--r-- 1 root root 0 ')"
expect find "/proc/sysvipc/$(echo $names | sed 's, , /proc/sysvipc/,g') " \
  "$(find /proc/sysvipc/ -type f | sort | tr '\n' ' ')"
expect glob '/proc/sysvipc/msg /proc/sysvipc/sem /proc/sysvipc/shm' "$(echo /proc/sysvipc/*)"
expect stat directory "$(stat -c %F /proc/sysvipc)"
test -d /proc/sysvipc && test -r /proc/sysvipc/shm
cd /proc/sysvipc
expect pwd /proc/sysvipc "$(pwd -P)"
expect 'pwd(1)' /proc/sysvipc "$(env -u PWD pwd)"
expect 'cat msg' 2 "$(cat msg | wc -l)"
expect 'ls here' "$names" "$(ls | tr '\n' ' ')"
expect 'cat ./../sysvipc/msg' 2 "$(cat ./../sysvipc/msg | wc -l)"
cd ..
expect ipcs 1 "$(ipcs -q | grep -c ^0x)"

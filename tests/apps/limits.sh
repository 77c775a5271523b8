#!/bin/bash
# The limits are read and written by sysctl(8), shells, the commands that they redirect, perl and python.
# needs: sysctl tee dash perl python3 awk dd ipcs lsipc

folder=$(mktemp -d) || exit 1
trap 'rm -r "$folder"' EXIT
cd /proc/sys/kernel || exit 1

try() {
  echo "\$ $*"
  "$@" 2>&1
  echo "status $?"
}
# What a redirection left, and the status before.
now() {
  echo "$1: status $? and $(cat "${2:-msgmax}")"
}

# ---------------------------------------------------------------- sysctl(8)
try sysctl -w kernel.msgmax=9000
try sysctl -n kernel.msgmax kernel.sem
try sysctl -w kernel.sem="100 2000 30 40"
try sysctl -w "kernel.sem=1 2 3 32769"
try sysctl -w kernel.msgmni=40000
try sysctl -q -w fs.mqueue.msg_max=20 fs.mqueue.msgsize_max=100
try sysctl kernel.shmmax kernel.shmall kernel.shmmni fs.mqueue
printf '%s\n' 'kernel.msgmnb = 70000' '# a comment' '-kernel.shmmni = x' 'fs.mqueue.queues_max=7' > "$folder/conf"
try sysctl -p "$folder/conf" | sed "s#$folder##"
try sysctl -a --pattern 'kernel.(msg|sem|shm)'

# ---------------------------------------------------------------- shells
exec 2>&1
echo 8000 > /proc/sys/kernel/msgmax; now echo
echo -5 > msgmax; now negative
echo word > msgmax; now word
printf '%s\n' 8001 > msgmax; now printf
printf '%d %d\n' 8001 7 > sem; now vector sem
echo 1 2 3 4 >> sem; now append sem
{ echo 7; echo 8; } > msgmax; now block
(echo 9) > msgmax; now subshell
exec 5> msgmax
echo 10 >&5; now "by number"
echo 11 >&5; now "behind the start"
exec 5>&-
exec 5<> msgmax
read -r line <&5; now "read $line"
echo 12 >&5; now "after reading"
exec 5>&-
dash -c 'echo 19 > msgmax; echo $?; echo q > msgmax; echo $?; cat msgmax; printf 20 >> msgmax; cat msgmax; read x < msgmax; echo "$x"'
bash -c 'echo 21 > msgmax'; now "another bash"

# ---------------------------------------------------------------- commands
echo 13 | tee msgmax; now tee
echo y | tee msgmax; now "tee of a word"
echo 14 | tee -a msgmax; now "tee -a"
"$(type -P echo)" 15 > msgmax; now "a command"
"$(type -P echo)" z > msgmax; now "a command's word"
"$(type -P printf)" 16 > msgmax; now "without a newline"
echo 17 | cat > msgmax; now cat
echo 18 > "$folder/in"
cp "$folder/in" msgmax; now cp
dd if="$folder/in" of=msgmax status=none; now dd
awk 'BEGIN { print 30 > "msgmax"; close("msgmax"); getline x < "msgmax"; print x }'; now awk

# ---------------------------------------------------------------- perl and python
perl -e 'open my $f, ">", "msgmax" or die; print $f "22\n"; close $f or print "no: $!\n";
  open $f, ">", "msgmax"; print $f "bad"; close $f or print "no: $!\n";
  open $f, "+<", "msgmax"; print scalar <$f>; seek $f, 0, 0; print $f 23; seek $f, 0, 0; print scalar <$f>'; now perl
python3 -c '
import os, subprocess
def attempt(call, *arguments):
    try: print(call(*arguments))
    except OSError as error: print(error)
def text(): return open("msgmax").read()
open("msgmax", "w").write("24"); print(text())
with open("msgmax", "r+") as f:
    print(f.read()); f.seek(0); f.write("25"); f.flush(); f.seek(0); print(f.read())
fd = os.open("msgmax", os.O_RDWR)
print(os.write(fd, b"26 x"), os.lseek(fd, 0, 1), os.pread(fd, 100, 0), os.read(fd, 3))
os.lseek(fd, 0, 0); print(os.read(fd, 1), os.read(fd, 100), os.lseek(os.dup(fd), 0, 1))
print(os.writev(fd, [b"2", b"7"]), text())
os.lseek(fd, 0, 0); print(os.writev(fd, [b"2", b"7"]), text())
print(os.pwritev(fd, [b"2", b"8"], 0), text(), os.lseek(fd, 0, 2))
os.lseek(fd, 0, 0); subprocess.run(["echo", "29"], stdout=fd); print(text(), os.lseek(fd, 0, 1))
os.ftruncate(fd, 0); print(os.fstat(fd).st_size, oct(os.fstat(fd).st_mode))
attempt(os.ftruncate, fd, -1); attempt(os.fchmod, fd, 0o600); attempt(os.pread, fd, 1, -1)
attempt(os.write, fd, b"x"); os.lseek(fd, 0, 0); attempt(os.write, fd, b"x")
attempt(os.open, "msgmax", os.O_CREAT | os.O_EXCL); attempt(os.open, "msgmax", os.O_DIRECTORY)
'

# ---------------------------------------------------------------- what they look like
stat -c '%n %a %s %U %G %F' msgmax sem_next_id auto_msgmni /proc/sys/fs/mqueue/msg_max
test -w msgmax; now writable
test -w msg_next_id; now "next id" msg_next_id
ipcs -l
lsipc -g

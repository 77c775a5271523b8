#!/bin/sh
# The files of /proc that tell of queues, as everyday programs read them.
# needs: ipcmk perl awk cat cp dd grep head od stat tail wc
# random keys

file=/proc/sysvipc/msg

# Pids and times, by column.
plain() {
  awk 'NR > 1 { for (n = 6; n <= 7; n++) if ($n != 0) $n = "PID"
                for (n = 12; n <= 14; n++) if ($n != 0) $n = "SECONDS" }
       { $1 = $1; print }' "$@"
}

cat $file
for key in 0x1001 -5 0; do
  perl -e 'my $id = msgget $ARGV[0], 01640; msgsnd $id, pack("l! a*", 1, "text"), 0 or die "msgsnd: $!"' -- "$((key))"
done
perl -e 'msgrcv 1, $text, 10, 0, 0 or die "msgrcv: $!"'

echo '--- read by many ways'
plain $file
cat $file | plain
plain < $file
dd if=$file bs=7 2>/dev/null | plain
cp $file /dev/stdout | plain
head -n 1 $file
tail -n +1 $file | plain
while read -r key id rest; do echo "$key $id"; done < $file
perl -ne 'print scalar(@fields = split), " " if $. > 1; END { print "fields\n" }' $file
/usr/bin/env perl -e 'open my $f, "<", "$ARGV[0]" or die; my @lines = <$f>; print scalar(@lines), "\n"' $file
(cd /proc/sysvipc && grep -c root msg; wc -l < msg; wc -L < ../sysvipc/msg)
plain /proc//sysvipc/./msg

echo '--- what it is'
stat -c '%F %A %s bytes of %U:%G' $file
ls -l $file | awk '{ print $1, $2, $3, $4, $5 }'
test -r $file && echo readable
test -d $file || echo 'no folder'
cat $file/more 2>&1
(echo text > $file) 2>&1 | sed 's/.*: //'

echo '--- limits'
for name in msgmax msgmnb msgmni; do
  printf '%s ' $name
  cat /proc/sys/kernel/$name
done
od -c /proc/sys/kernel/msgmax
if command -v sysctl >/dev/null; then sysctl -n kernel.msgmax kernel.msgmnb kernel.msgmni; fi

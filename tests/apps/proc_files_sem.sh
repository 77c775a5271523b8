#!/bin/sh
# The files of /proc that tell of semaphore sets, as everyday programs read them.
# needs: ipcmk perl awk cat cp dd grep head od stat tail wc
# random keys

file=/proc/sysvipc/sem

# Times, by column.
plain() {
  awk 'NR > 1 { for (n = 9; n <= 10; n++) if ($n != 0) $n = "SECONDS" }
       { $1 = $1; print }' "$@"
}

cat $file
for key in 0x1001 -5 0; do
  perl -e 'defined semget $ARGV[0], $ARGV[1], 01640 or die "semget: $!"' -- "$((key))" $((key & 7 | 1))
done
perl -e 'semop 1, pack("s!3", 0, 1, 0) or die "semop: $!"'

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
(cd /proc/sysvipc && grep -c root sem; wc -l < sem; wc -L < ../sysvipc/sem)
plain /proc//sysvipc/./sem

echo '--- what it is'
stat -c '%F %A %s bytes of %U:%G' $file
ls -l $file | awk '{ print $1, $2, $3, $4, $5 }'
test -r $file && echo readable
test -d $file || echo 'no folder'
cat $file/more 2>&1
(echo text > $file) 2>&1 | sed 's/.*: //'

echo '--- limits'
cat /proc/sys/kernel/sem
od -c /proc/sys/kernel/sem
if command -v sysctl >/dev/null; then sysctl -n kernel.sem; fi

#!/bin/sh
# The files of /proc that tell of segments, as everyday programs read them.
# needs: ipcmk perl awk cat cp dd grep head od stat tail wc
# random keys

file=/proc/sysvipc/shm

# Pids, times and what is in memory, by column.
plain() {
  awk 'NR > 1 { for (n = 5; n <= 6; n++) if ($n != 0) $n = "PID"
                for (n = 12; n <= 14; n++) if ($n != 0) $n = "SECONDS"
                if ($15 != 0) $15 = "SOME" }
       { $1 = $1; print }' "$@"
}

cat $file
for key in 0x1001 -5 0; do
  perl -e 'defined shmget $ARGV[0], $ARGV[1], 01640 or die "shmget: $!"' -- "$((key))" $((1 + (key & 7) * 1000))
done
perl -e 'shmwrite 1, "text", 0, 4 or die "shmwrite: $!"'
perl -e 'shmctl 2, 11, 0 or die "SHM_LOCK: $!"'

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
(cd /proc/sysvipc && grep -c root shm; wc -l < shm; wc -L < ../sysvipc/shm)
plain /proc//sysvipc/./shm

echo '--- attached'
perl -MIPC::SysV=shmat,shmdt -e '
  $address = shmat 1, undef, 0 or die "shmat: $!\n";
  sub show { open my $file, "<", $ARGV[0] or die; print map { join(" ", (split)[1, 2, 6]) . "\n" } <$file> }
  show();
  shmctl 1, 0, 0;
  show();
  shmdt $address;
  show()' $file || exit 77

echo '--- what it is'
stat -c '%F %A %s bytes of %U:%G' $file
ls -l $file | awk '{ print $1, $2, $3, $4, $5 }'
test -r $file && echo readable
test -d $file || echo 'no folder'
cat $file/more 2>&1
(echo text > $file) 2>&1 | sed 's/.*: //'

echo '--- limits'
for name in shmmax shmall shmmni shm_rmid_forced; do
  printf '%s ' $name
  cat /proc/sys/kernel/$name
done
od -c /proc/sys/kernel/shmmax
if command -v sysctl >/dev/null; then sysctl -n kernel.shmmax kernel.shmall kernel.shmmni; fi

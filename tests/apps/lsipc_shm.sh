#!/bin/sh
# lsipc lists segments, as a table and as JSON.
# needs: ipcmk ipcrm lsipc perl
# random keys

run() {
  echo "\$ $*"
  "$@" 2>&1
  echo "status $?"
}
pid_is() {
  [ "$1" = "$2" ] && echo "$3" || echo "$1, which is not $3 ($2)"
}

# Its pid, in the same shell, is that of ipcmk.
creator=$(sh -c 'echo $$; exec ipcmk -M 5000 >&2')
run ipcmk -M 2MiB -p 0620
run ipcmk -M 1 -p 0
columns=KEY,ID,PERMS,OWNER,SIZE,NATTCH,STATUS
run lsipc -m -o $columns
run lsipc -m -o $columns --json
run lsipc -m -o $columns --bytes --raw
run lsipc -m --noheadings -o ID,PERMS,CUID,CUSER,CGID,CGROUP,UID,USER,GID,GROUP
run lsipc -m --export --time-format iso -o ID,CTIME,ATTACH,DETACH
run lsipc -m -i 5
lsipc -m -i 0 | grep -v 'PID:'
lsipc | grep SHM

# Attached. The last to attach or detach is lsipc itself, which had inherited the attachment.
perl -MIPC::SysV=shmat,memread -e '
  sub listed {
    my $pid = open my $pipe, "-|", "lsipc", "-m", @_ or die "lsipc: $!\n";
    return join "", map { s/\b$pid\b/LSIPC/r =~ s/\b$$\b/HOLDER/r } <$pipe>;
  }
  $address = shmat 1, undef, 0 or die "shmat: $!\n";
  memread $address, $text, 0, 10;
  print listed(qw(--noheadings --raw -i 1 -o LPID,COMMAND));
  print listed(qw(--noheadings --bytes -o ID,SIZE,NATTCH,STATUS));
  print listed(qw(--noheadings --time-format iso -o ID,ATTACH,DETACH));
  print qx(ipcrm -m 1 2>&1);
  print listed(qw(--noheadings -o KEY,ID,NATTCH,STATUS));
  print listed(qw(-i 1)) =~ s/(Creator PID: +)\d+/$1CREATOR/r;
  print grep { /SHMMNI|SHMALL/ } qx(lsipc)' || exit 77
run lsipc -m --noheadings -o KEY,ID,STATUS
pid_is "$(lsipc -m -i 0 --raw --noheadings -o CPID)" "$creator" 'the creator'

run ipcrm -m 0
run lsipc -m --noheadings -o KEY,ID,SIZE
lsipc | grep 'SHMMNI\|SHMALL'

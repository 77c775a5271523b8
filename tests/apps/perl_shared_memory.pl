#!/usr/bin/perl
# perl's own shmget, shmread, shmwrite and shmctl, between a parent and its children. Each shmread and
# shmwrite attaches and detaches.
# needs: perl
use strict;
use warnings;
use Errno qw(EACCES EEXIST EFAULT EINVAL ENOENT ENOMEM EPERM);

# As in <sys/ipc.h> and <sys/shm.h>; not from IPC::SysV, which not every perl has.
use constant { IPC_CREAT => 01000, IPC_EXCL => 02000, IPC_RMID => 0, IPC_SET => 1, IPC_STAT => 2 };
use constant { SHM_LOCK => 11, SHM_UNLOCK => 12 };
use constant { SHM_DEST => 01000, SHM_LOCKED => 02000 };
use constant { KEY => 0x50657232, SIZE => 10000 };

# The fields of struct shmid_ds, of 64 bits.
use constant { DS => "l L4 L S x2 x4 x8 x8 Q q3 l2 Q" };
use constant FIELDS => qw(key uid gid cuid cgid mode seq segsz atime dtime ctime cpid lpid nattch);

use FindBin qw($Bin);
use lib $Bin;
use IpcChecks;

sub ds {
  my ($id) = @_;
  shmctl $id, IPC_STAT, my $packed or return {};
  my %fields;
  @fields{+FIELDS} = unpack DS, $packed;
  return \%fields;
}

sub pid_name {
  my ($pid, %known) = @_;
  return $pid == 0 ? "none" : $pid == $$ ? "own" : $known{$pid} // "another's";
}

sub time_name {
  my ($time) = @_;
  return $time == 0 ? "never" : abs(time - $time) < 30 ? "now" : $time;
}

sub show {
  my ($what, $id, %known) = @_;
  my $ds = ds($id);
  printf "%s: %d bytes, mode %o, attached %d, cpid %s, lpid %s, atime %s, dtime %s, ctime %s\n", $what,
    $ds->{segsz}, $ds->{mode}, $ds->{nattch}, pid_name($ds->{cpid}, %known), pid_name($ds->{lpid}, %known),
    map { time_name($ds->{$_}) } qw(atime dtime ctime);
}

sub bytes {
  my ($id, $at, $size) = @_;
  shmread $id, my $buffer, $at, $size or return "$!";
  return $buffer;
}

check("not there", !defined shmget(KEY, SIZE, 0) && $! == ENOENT);
my $id = shmget KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600;
check("a segment, id $id", defined $id);
check("there already", !defined shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600) && $! == EEXIST);
check("the same", shmget(KEY, 0, 0) == $id && shmget(KEY, SIZE, IPC_CREAT) == $id);
check("not that large", !defined shmget(KEY, SIZE + 1, 0) && $! == EINVAL);
check("not of no size", !defined shmget(0, 0, 0600) && $! == EINVAL);
show("fresh", $id);
check("zeros", bytes($id, 0, SIZE) eq "\0" x SIZE);
show("read", $id);

check("write", shmwrite $id, "hello, world", 0, 12);
check("read", bytes($id, 7, 5) eq "world");
check("shorter than its room", shmwrite $id, "abc", 0, 8);
check("the rest is zeros", bytes($id, 0, 12) eq "abc\0\0\0\0\0orld");
check("longer than its room", shmwrite $id, "0123456789", 20, 4);
check("is cut off", bytes($id, 18, 8) eq "\0\0" . "0123" . "\0\0");
check("the last byte", shmwrite($id, "!", SIZE - 1, 1) && bytes($id, SIZE - 1, 1) eq "!");
check("behind the end", !shmread($id, my $none, SIZE, 1) && $! == EFAULT);
check("over the end", !shmwrite($id, "xx", SIZE - 1, 2) && $! == EFAULT);
check("before the start", !shmread($id, $none, -1, 1) && $! == EFAULT);
check("the whole", shmwrite($id, join("", map { chr($_ * 7 & 255) } 1 .. SIZE), 0, SIZE));
check("the whole again", bytes($id, 0, SIZE) eq join "", map { chr($_ * 7 & 255) } 1 .. SIZE);
show("written", $id);

# A child answers in the segment what it finds there.
shmwrite $id, "question", 0, 10;
my $child = in_child(
  sub {
    my $own = shmget(KEY, 0, 0) // die "shmget: $!";
    shmread $own, my $question, 0, 10 or die "shmread: $!";
    $question =~ s/\0+$//;
    shmwrite $own, reverse($question), 100, 10 or die "shmwrite: $!";
  });
check("the child ends", is_done($child));
show("after the child", $id, $child => "the child's");
check("its answer", bytes($id, 100, 10) eq "noitseuq\0\0");
show("after us", $id);

# Children write all at once, each its own part.
my @children = map {
  my $number = $_;
  my $part = chr(64 + $number) x 100;
  in_child(sub { shmwrite($id, $part, 500 + 100 * $number, 100) or die "shmwrite: $!" for 1 .. 50 })
} 1 .. 8;
check("eight children end", 8 == grep { is_done($_) } @children);
check("their parts", bytes($id, 600, 800) eq join "", map { chr(64 + $_) x 100 } 1 .. 8);

# Many segments, removed in another order than they were made.
my @ids = map { shmget 0, 4096 * $_, 0600 } 1 .. 20;
print "ids: @ids\n";
shmwrite $ids[$_], "segment $_", 4096 * $_, 10 for 0 .. 19;
check("each has its own", 20 == grep { bytes($ids[$_], 4096 * $_, 10) =~ /^segment $_\0*$/ } 0 .. 19);
shmctl $ids[$_], IPC_RMID, 0 for grep { $_ % 2 } 0 .. 19;
check("removed", !shmread($ids[1], $none, 0, 1) && $! == EINVAL);
my $next = shmget 0, 100, 0600;
print "the next: $next\n";
check("with zeros in it", bytes($next, 0, 100) eq "\0" x 100);
check("removed all", 11 == grep { shmctl $_, IPC_RMID, 0 } $next, map { $ids[$_] } grep { $_ % 2 == 0 } 0 .. 19);

# IPC_SET, as it reads it: uid, gid and mode count.
shmctl $id, IPC_STAT, my $packed;
print "bytes of the status: ", length $packed, "\n";
substr $packed, 20, 2, pack "S", 0640;
check("set the mode", shmctl $id, IPC_SET, $packed);
show("set", $id);
check("lock", shmctl $id, SHM_LOCK, 0);
show("locked", $id);
check("unlock", shmctl $id, SHM_UNLOCK, 0);
show("unlocked", $id);
check("no such command", !defined shmctl($id, 99, 0) && $! == EINVAL);

# Without rights, but for a segment that is open to all: only root may become another.
if ($> == 0) {
  my $open = shmget 0, 10, 0666;
  shmwrite $open, "come in", 0, 7;
  my $stranger = in_child(
    sub {
      ($(, $)) = (65534, "65534 65534");
      ($<, $>) = (65534, 65534);
      die "read" if shmread($id, my $text, 0, 1) or $! != EACCES;
      die "written" if shmwrite($id, "x", 0, 1) or $! != EACCES;
      die "asked" if shmctl($id, IPC_STAT, my $ds) or $! != EACCES;
      die "removed" if shmctl($id, IPC_RMID, 0) or $! != EPERM;
      die "got" if defined shmget(KEY, 0, 0400) or $! != EACCES;
      defined shmget(KEY, 0, 0) or die "shmget: $!";
      bytes($open, 0, 7) eq "come in" && shmwrite($open, "thanks", 0, 7) or die "the open one: $!";
      die "removed" if shmctl($open, IPC_RMID, 0) or $! != EPERM;
    });
  check("a stranger has what is open to all, and no more", is_done($stranger));
  check("written by the stranger", bytes($open, 0, 10) eq "thanks\0\0\0\0");
  check("removed by us", shmctl $open, IPC_RMID, 0);
}

check("too large", !defined shmget(0, ~0, 0600) && $! == EINVAL);
check("remove", shmctl $id, IPC_RMID, 0);
check("gone", !defined shmget(KEY, 0, 0) && $! == ENOENT);
check("read of removed", !shmread($id, $none, 0, 1) && $! == EINVAL);
check("write to removed", !shmwrite($id, "x", 0, 1) && $! == EINVAL);
check("remove again", !defined shmctl($id, IPC_RMID, 0) && $! == EINVAL);
exit(failures() ? 1 : 0);

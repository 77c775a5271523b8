#!/usr/bin/perl
# IPC::SharedMem, perl's object for a segment: attached, it stays so until it is detached, or its
# process has gone.
# needs: perl
use strict;
use warnings;

BEGIN {
  unless (eval { require IPC::SharedMem; require IPC::SysV; 1 }) {
    print "skipped: this perl has no IPC::SharedMem (Debian's package perl has it)\n";
    exit 77;
  }
}
use IPC::SysV qw(IPC_CREAT IPC_EXCL IPC_PRIVATE SHM_RDONLY ftok shmat shmdt memread memwrite);

$| = 1;
alarm 40;
$SIG{PIPE} = "IGNORE";
my $key = 0x49505354;

sub show {
  my ($what, $result) = @_;
  print "$what: ", defined $result ? $result : "undef, $!", "\n";
}

sub show_stat {
  my ($segment, %known) = @_;
  my $stat = $segment->stat;
  $known{$$} = "own";
  $known{0} = "none";
  printf "uid %d gid %d cuid %d cgid %d mode %o segsz %d nattch %d cpid %s lpid %s", $stat->uid, $stat->gid,
    $stat->cuid, $stat->cgid, $stat->mode, $stat->segsz, $stat->nattch,
    map { $known{$stat->$_} // "another's" } qw(cpid lpid);
  for my $field (qw(atime dtime ctime)) {
    my $time = $stat->$field;
    printf " %s %s", $field, $time == 0 ? "0" : abs(time - $time) < 30 ? "now" : $time;
  }
  print "\n";
}

# A child that does its work, says so, and stays until it is told to go, or is killed.
sub child {
  my ($work) = @_;
  pipe my $from_child, my $to_parent or die "pipe: $!";
  pipe my $from_parent, my $to_child or die "pipe: $!";
  my $pid = fork // die "fork: $!";
  if ($pid == 0) {
    $work->();
    syswrite $to_parent, "x";
    sysread $from_parent, my $byte, 1;
    exit;
  }
  close $to_parent;
  sysread $from_child, my $byte, 1;
  return { pid => $pid, leash => $to_child };
}

sub end_of {
  my ($child, $signal) = @_;
  kill $signal => $child->{pid} if $signal;
  syswrite $child->{leash}, "x";
  waitpid $child->{pid}, 0;
  return $? & 127 ? "signal " . ($? & 127) : "status " . ($? >> 8);
}

show("not there", IPC::SharedMem->new($key, 100, 0));
my $segment = IPC::SharedMem->new($key, 5000, IPC_CREAT | IPC_EXCL | 0640) or die "shmget: $!";
show("id", $segment->id);
show("there already", IPC::SharedMem->new($key, 5000, IPC_CREAT | IPC_EXCL | 0640));
show("the same", IPC::SharedMem->new($key, 0, 0)->id);
show("larger", IPC::SharedMem->new($key, 5001, 0));
show("of no size", IPC::SharedMem->new(IPC_PRIVATE, 0, 0600));
show_stat($segment);

# Not attached: each read and write attaches.
show("write", $segment->write("text", 10, 8));
show("read", $segment->read(10, 4));
show_stat($segment);

show("attach", $segment->attach);
show("attached already", $segment->attach // "no");
show_stat($segment);
show("read", $segment->read(10, 4));
show("write", $segment->write("more text", 5, 9));
show("read", $segment->read(5, 9));
show_stat($segment);

# Others attach, or inherit what we have.
my $reader = IPC::SharedMem->new($key, 0, 0);
show("attach to read", $reader->attach(SHM_RDONLY));
show("read", $reader->read(5, 9));
show("attached", $segment->stat->nattch);
my $address = shmat($segment->id, undef, 0);
show("a third time, elsewhere", $address ne $segment->addr && $address ne $reader->addr ? "yes" : "no");
memwrite($address, "all see it", 200, 10);
show("the first", $segment->read(200, 10));
show("the second", $reader->read(200, 10));
show("attached", $segment->stat->nattch);
my $heir = child(sub { $segment->write("heir", 300, 4) });
show("with a child", $segment->stat->nattch);
my $more = child(sub { my $own = IPC::SharedMem->new($key, 0, 0); $own->attach; $own->write("more", 310, 4) });
show("with a child that has one more", $segment->stat->nattch);
show_stat($segment, $more->{pid} => "the child's");
show("one ends", end_of($heir));
show("attached", $segment->stat->nattch);
show_stat($segment, $heir->{pid} => "the dead's");
show("the other is killed", end_of($more, "KILL"));
show("attached", $segment->stat->nattch);
show_stat($segment, $more->{pid} => "the dead's");
show("written by them", $segment->read(300, 4) . " " . $reader->read(310, 4));
my $leaver = child(sub { $segment->detach; $reader->detach; shmdt($address); });
show("a child that detached all", $segment->stat->nattch);
show("its end", end_of($leaver));
my $runner = child(sub { exec "true" or exit 1 });
show("a child that became another program", end_of($runner));
show("attached", $segment->stat->nattch);

show("detach the third", defined shmdt($address) ? "yes" : "no, $!");
show("again", defined shmdt($address) ? "yes" : "no, $!");
show("detach the second", $reader->detach);
show("again", $reader->detach);
show_stat($segment);

# Removed, and still there for who has it, though not by its key.
my $keeper = child(sub { });
my $id = $segment->id;
show("remove", $segment->remove);
show("is removed", $segment->is_removed);
show("by its key", IPC::SharedMem->new($key, 0, 0));
show_stat($segment);
show("read", $segment->read(200, 10));
show("write", $segment->write("still here", 400, 10));
my $again = IPC::SharedMem->new($key, 100, IPC_CREAT | 0600);
show("another of the same key", $again->id);
show("with zeros", $again->read(0, 100) eq "\0" x 100 ? "yes" : "no");
my $late = shmat($id, undef, 0);
memread($late, my $text, 400, 10);
show("attach by its id", $text);
show_stat($segment);
shmdt($late);
show("detach", $segment->detach);
show_stat($segment);
show("the last is killed", end_of($keeper, "KILL"));
show("stat", $segment->stat);
show("attach", $segment->attach);
show("read", $segment->read(0, 1));
show("remove the other", $again->remove);
show("remove by id", shmctl($again->id, 0, 0));

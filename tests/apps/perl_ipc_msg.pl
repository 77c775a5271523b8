#!/usr/bin/perl
# IPC::Msg, perl's object for a queue.
# needs: perl
use strict;
use warnings;

BEGIN {
  unless (eval { require IPC::Msg; require IPC::SysV; 1 }) {
    print "skipped: this perl has no IPC::Msg (Debian's package perl has it)\n";
    exit 77;
  }
}
use IPC::SysV qw(IPC_CREAT IPC_EXCL IPC_NOWAIT IPC_PRIVATE MSG_NOERROR ftok);

$| = 1;
my $key = 0x4950434d;

sub show {
  my ($what, $result) = @_;
  print "$what: ", defined $result ? $result : "undef, $!", "\n";
}

sub show_stat {
  my ($queue) = @_;
  my $stat = $queue->stat;
  printf "uid %d gid %d cuid %d cgid %d mode %o qnum %d qbytes %d", $stat->uid, $stat->gid,
    $stat->cuid, $stat->cgid, $stat->mode, $stat->qnum, $stat->qbytes;
  for my $field (qw(lspid lrpid)) {
    my $pid = $stat->$field;
    printf " %s %s", $field, $pid == 0 ? "0" : $pid == $$ ? "own" : "other";
  }
  for my $field (qw(stime rtime ctime)) {
    my $time = $stat->$field;
    printf " %s %s", $field, $time == 0 ? "0" : abs(time - $time) < 30 ? "now" : $time;
  }
  print "\n";
}

show("not there", IPC::Msg->new($key, 0));
my $queue = IPC::Msg->new($key, IPC_CREAT | IPC_EXCL | 0640) or die "msgget: $!";
show("id", $queue->id);
show("there already", IPC::Msg->new($key, IPC_CREAT | IPC_EXCL | 0640));
show("the same", IPC::Msg->new($key, 0)->id);
show_stat($queue);

show("receive from empty", $queue->rcv(my $text, 100, 0, IPC_NOWAIT));
for my $type (3, 1, 2, 1) {
  show("send type $type", $queue->snd($type, "message of type $type"));
}
show("type 0 is none", $queue->snd(0, "text"));
show("type -1 is none", $queue->snd(-1, "text"));
show_stat($queue);

show("too small", $queue->rcv($text, 5, 2, IPC_NOWAIT));
for my $wanted (2, -2, -3, 0, 7, 0) {
  undef $text;
  show("receive $wanted", $queue->rcv($text, 100, $wanted, IPC_NOWAIT));
  show("  text", $text) if defined $text;
}
show("send empty", $queue->snd(9, ""));
show("receive empty", $queue->rcv($text, 0, 9, 0));
show("  length", length $text);
show("send long", $queue->snd(4, join "", map { chr($_ % 256) } 1 .. 8192));
show("receive cut", $queue->rcv($text, 300, 0, MSG_NOERROR));
show("  length", length $text);
show("  checksum", unpack "%32C*", $text);
show("too long", $queue->snd(4, "x" x 8193));
show_stat($queue);

show("set", $queue->set(mode => 0600, qbytes => 500));
show_stat($queue);
show("fill " . $_, $queue->snd(1, "x" x 250, IPC_NOWAIT)) for 1 .. 3;

my $private = IPC::Msg->new(IPC_PRIVATE, 0600) or die "msgget: $!";
show("private", $private->id);
show("remove private", $private->remove);
my $other = IPC::Msg->new($key, 0);
show("remove", $queue->remove);
show("send to removed", $other->snd(1, "text"));
show("stat of removed", $other->stat);
show("not there any more", IPC::Msg->new($key, 0));

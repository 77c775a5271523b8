#!/usr/bin/perl
# IPC::Semaphore, perl's object for a semaphore set.
# needs: perl
use strict;
use warnings;

BEGIN {
  unless (eval { require IPC::Semaphore; require IPC::SysV; 1 }) {
    print "skipped: this perl has no IPC::Semaphore (Debian's package perl has it)\n";
    exit 77;
  }
}
use IPC::SysV qw(IPC_CREAT IPC_EXCL IPC_NOWAIT IPC_PRIVATE SEM_UNDO);

$| = 1;
alarm 40;
my $key = 0x49505353;

sub show {
  my ($what, $result) = @_;
  print "$what: ", defined $result ? $result : "undef, $!", "\n";
}

sub show_all {
  my ($set, $what) = @_;
  my @pids = map { my $pid = $set->getpid($_); $pid == 0 ? "none" : $pid == $$ ? "own" : "other" } 0 .. 3;
  my @ncnt = map { 0 + $set->getncnt($_) } 0 .. 3;
  my @zcnt = map { 0 + $set->getzcnt($_) } 0 .. 3;
  print "$what: values @{[$set->getall]}, pids @pids, ncnt @ncnt, zcnt @zcnt\n";
}

sub show_stat {
  my ($set) = @_;
  my $stat = $set->stat;
  printf "uid %d gid %d cuid %d cgid %d mode %o nsems %d", $stat->uid, $stat->gid,
    $stat->cuid, $stat->cgid, $stat->mode, $stat->nsems;
  for my $field (qw(otime ctime)) {
    my $time = $stat->$field;
    printf " %s %s", $field, $time == 0 ? "0" : abs(time - $time) < 30 ? "now" : $time;
  }
  print "\n";
}

# A child that does its work, once it was told to sleep at it.
sub sleeper {
  my (@operation) = @_;
  my $set = IPC::Semaphore->new($key, 0, 0) or die "semget: $!";
  my $pid = fork // die "fork: $!";
  return $pid if $pid;
  exit($set->op(@operation) ? 0 : $! + 0);
}

sub await_counts {
  my ($set, $semaphore, $ncnt, $zcnt) = @_;
  for (1 .. 400) {
    return if $set->getncnt($semaphore) == $ncnt && $set->getzcnt($semaphore) == $zcnt;
    select undef, undef, undef, 0.02;
  }
  print "never $ncnt and $zcnt sleepers\n";
}

sub status_of {
  my ($pid) = @_;
  waitpid $pid, 0;
  return $? & 127 ? "signal " . ($? & 127) : "status " . ($? >> 8);
}

show("not there", IPC::Semaphore->new($key, 4, 0));
my $set = IPC::Semaphore->new($key, 4, IPC_CREAT | IPC_EXCL | 0640) or die "semget: $!";
show("id", $set->id);
show("there already", IPC::Semaphore->new($key, 4, IPC_CREAT | IPC_EXCL | 0640));
show("the same", IPC::Semaphore->new($key, 0, 0)->id);
show("larger", IPC::Semaphore->new($key, 5, 0));
show("none in it", IPC::Semaphore->new(IPC_PRIVATE, 0, 0600));
show_all($set, "fresh");
show_stat($set);

show("setall", $set->setall(3, 0, 32767, 7));
show("setval", $set->setval(1, 5));
show("setval too large", $set->setval(1, 32768));
show("setval below zero", $set->setval(1, -1));
show("setall too large", $set->setall(1, 1, 40000, 1));
show("no such semaphore", $set->getval(4));
show_all($set, "set");
show_stat($set);

show("one operation", $set->op(0, -2, 0));
show("three operations", $set->op(0, -1, 0, 1, 2, 0, 3, -7, 0));
show("wait for zero", $set->op(0, 0, 0, 3, 0, IPC_NOWAIT));
show("not zero", $set->op(1, 0, IPC_NOWAIT));
show("not enough", $set->op(1, 1, 0, 0, -1, IPC_NOWAIT));
show("too much", $set->op(2, 1, IPC_NOWAIT));
show("no such semaphore", $set->op(4, 1, 0));
show("twice the same", $set->op(3, 2, 0, 3, -1, 0));
show_all($set, "operated");
show_stat($set);

# Sleepers, by what they wait for.
my $more = sleeper(0, -1, 0);
await_counts($set, 0, 1, 0);
my $less = sleeper(1, 0, 0);
await_counts($set, 1, 0, 1);
show_all($set, "with sleepers");
show("one more", $set->op(0, 1, 0));
show("its end", status_of($more));
show("to zero", $set->op(1, -7, 0));
show("its end", status_of($less));
show_all($set, "without");

# setall and setval wake, too.
$more = sleeper(0, -3, 0, 1, -1, 0);
await_counts($set, 0, 1, 0);
show("one is not enough", $set->setval(0, 4));
await_counts($set, 1, 1, 0);
show("all", $set->setall(3, 1, 0, 0));
show("its end", status_of($more));

# SEM_UNDO: by an end, and by SIGKILL; a new value forgets it.
show("taken by a child that ends", status_of(sleeper(1, 3, SEM_UNDO)));
show_all($set, "undone");
for my $renewal (0, 1) {
  pipe my $from, my $to or die "pipe: $!";
  my $pid = fork // die "fork: $!";
  if ($pid == 0) {
    $set->op(3, 6, SEM_UNDO) or die "semop: $!";
    syswrite $to, "x";
    sleep 30;
    exit;
  }
  sysread $from, my $byte, 1;
  show("while it lives", 0 + $set->getval(3));
  show("set anew", $set->setval(3, 9)) if $renewal;
  kill KILL => $pid;
  show("its end", status_of($pid));
  show("when it is dead", 0 + $set->getval(3));
}

show("set", $set->set(mode => 0600));
show_stat($set);
my $private = IPC::Semaphore->new(IPC_PRIVATE, 1, 0600) or die "semget: $!";
show("private", $private->id);
show("remove private", $private->remove);
$more = sleeper(0, -1, 0);
await_counts($set, 0, 1, 0);
my $other = IPC::Semaphore->new($key, 0, 0);
show("remove", $set->remove);
show("its end", status_of($more));
show("operation on removed", $other->op(0, 1, 0));
show("stat of removed", $other->stat);
show("getall of removed", $other->getall);
show("not there any more", IPC::Semaphore->new($key, 0, 0));

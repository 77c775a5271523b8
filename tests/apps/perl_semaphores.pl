#!/usr/bin/perl
# perl's own semget, semop and semctl, between a parent and its children.
# needs: perl
use strict;
use warnings;
use Errno qw(E2BIG EAGAIN EEXIST EFBIG EIDRM EINTR EINVAL ENOENT ERANGE);

# As in <sys/ipc.h> and <sys/sem.h>; not from IPC::SysV, which not every perl has.
use constant { IPC_CREAT => 01000, IPC_EXCL => 02000, IPC_NOWAIT => 04000, SEM_UNDO => 0x1000 };
use constant { IPC_RMID => 0, IPC_STAT => 2 };
use constant { GETPID => 11, GETVAL => 12, GETALL => 13, GETNCNT => 14, GETZCNT => 15, SETVAL => 16, SETALL => 17 };
use constant { KEY => 0x50657273, LOCK => 0, FULL => 1, EMPTY => 2 };

use FindBin qw($Bin);
use lib $Bin;
use IpcChecks;

sub kill_hard {
  my ($pid) = @_;
  kill KILL => $pid;
  waitpid $pid, 0;
}

# Operations in one call, each [number, amount, flags].
sub operate {
  my ($id, @operations) = @_;
  return semop $id, join "", map { pack "s!3", $_->[0], $_->[1], $_->[2] // 0 } @operations;
}

sub values_of {
  my ($id) = @_;
  semctl $id, 0, GETALL, my $packed or return "$!";
  return join " ", unpack "s!*", $packed;
}

# perl says "0 but true" for a 0.
sub number {
  my ($id, $semaphore, $command) = @_;
  my $result = semctl $id, $semaphore, $command, 0;
  return defined $result ? 0 + $result : "$!";
}

check("not there", !defined semget(KEY, 0, 0) && $! == ENOENT);
my $set = semget KEY, 3, IPC_CREAT | IPC_EXCL | 0600;
check("a set, id $set", defined $set);
check("there already", !defined semget(KEY, 3, IPC_CREAT | IPC_EXCL | 0600) && $! == EEXIST);
check("not that large", !defined semget(KEY, 4, 0) && $! == EINVAL);
print "fresh: ", values_of($set), "\n";

check("SETALL", semctl $set, 0, SETALL, pack "s!3", 1, 0, 4);
check("SETVAL", semctl $set, FULL, SETVAL, 2);
print "set: ", values_of($set), "\n";
check("SETVAL of 32768", !defined semctl($set, FULL, SETVAL, 32768) && $! == ERANGE);
check("no such semaphore", !defined semctl($set, 3, GETVAL, 0) && $! == EINVAL);
print "last used by ", number($set, FULL, GETPID) == $$ ? "us" : "another", "\n";

check("all of three operations", operate($set, [LOCK, -1], [FULL, -2], [EMPTY, 3]));
print "after them: ", values_of($set), "\n";
check("one of two cannot be done", !operate($set, [EMPTY, -1], [LOCK, -1, IPC_NOWAIT]) && $! == EAGAIN);
check("up and down in one call", operate($set, [LOCK, 1], [LOCK, -1], [LOCK, 0]));
check("too far up", !operate($set, [FULL, 1], [EMPTY, 32767]) && $! == ERANGE);
check("no such semaphore", !operate($set, [3, 1]) && $! == EFBIG);
check("too many operations", !operate($set, map { [LOCK, 1] } 1 .. 501) && $! == E2BIG);
print "unchanged: ", values_of($set), "\n";
check("give back", operate($set, [LOCK, 1]));

# Producer and consumer, two hundred times around a room of seven.
my $producer = in_child(
  sub {
    for (1 .. 200) {
      operate($set, [EMPTY, -1], [LOCK, -1, SEM_UNDO]) or die "semop: $!";
      operate($set, [LOCK, 1, SEM_UNDO], [FULL, 1]) or die "semop: $!";
    }
  });
for (1 .. 200) {
  operate($set, [FULL, -1], [LOCK, -1, SEM_UNDO]) or die "semop: $!";
  operate($set, [LOCK, 1, SEM_UNDO], [EMPTY, 1]) or die "semop: $!";
}
check("the producer ends", is_done($producer));
print "after production: ", values_of($set), "\n";

# Eight sleepers, each for its own sum.
my @sleepers = map { my $sum = $_; in_child(sub { operate($set, [FULL, -$sum]) or die "semop: $!" }) } 1 .. 8;
wait_for_sleep($_) for @sleepers;
print "sleepers: ", number($set, FULL, GETNCNT), "\n";
operate($set, [FULL, $_]) for 1 .. 8;
check("all get through", 8 == grep { is_done($_) } @sleepers);
print "left: ", values_of($set), "\n";

my $for_zero = in_child(sub { operate($set, [EMPTY, 0]) or die "semop: $!" });
wait_for_sleep($for_zero);
print "sleepers for zero: ", number($set, EMPTY, GETZCNT), ", and for more: ", number($set, EMPTY, GETNCNT), "\n";
check("to zero", semctl $set, EMPTY, SETVAL, 0);
check("who waited for zero ends", is_done($for_zero));

# Who dies with the lock gives it back.
my $holder = in_child(sub { operate($set, [LOCK, -1, SEM_UNDO]) or die "semop: $!"; sleep 30 });
wait_for_sleep($holder);
print "held: ", values_of($set), "\n";
my $next = in_child(sub { operate($set, [LOCK, -1, SEM_UNDO]) or die "semop: $!" });
wait_for_sleep($next);
kill_hard($holder);
check("the next has the lock", is_done($next));
print "last used by ", number($set, LOCK, GETPID) == $next ? "it" : "another", "\n";
print "given back by both: ", values_of($set), "\n";

# Without SEM_UNDO it is lost.
check("a child that takes it for good", is_done(in_child(sub { operate($set, [LOCK, -1]) or die "semop: $!" })));
print "lost: ", values_of($set), "\n";

# A killed sleeper does not count.
my $killed = in_child(sub { operate($set, [LOCK, -1]) });
wait_for_sleep($killed);
print "sleepers: ", number($set, LOCK, GETNCNT), "\n";
kill_hard($killed);
print "sleepers: ", number($set, LOCK, GETNCNT), "\n";

# A signal interrupts the sleep, and is handled.
my $signals = 0;
my $interrupted = in_child(
  sub {
    $SIG{USR1} = sub { $signals++ };
    die "semop came through" if operate($set, [LOCK, -1]);
    die "semop: $!" unless $! == EINTR && $signals == 1;
  });
wait_for_sleep($interrupted);
kill USR1 => $interrupted;
check("a handled signal gives EINTR", is_done($interrupted));

# Removal wakes whoever sleeps.
@sleepers = map { in_child(sub { operate($set, [LOCK, -1]) or $! == EIDRM or die "semop: $!" }) } 1 .. 3;
wait_for_sleep($_) for @sleepers;
check("status", semctl $set, 0, IPC_STAT, my $status);
print "bytes of the status: ", length $status, "\n";
check("remove", semctl $set, 0, IPC_RMID, 0);
check("sleepers learn of it", 3 == grep { is_done($_) } @sleepers);
check("gone", !defined semget(KEY, 0, 0) && $! == ENOENT);
exit(failures() ? 1 : 0);

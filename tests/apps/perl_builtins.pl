#!/usr/bin/perl
# perl's own msgget, msgsnd, msgrcv and msgctl, between a parent and its children.
# needs: perl
use strict;
use warnings;
use Errno qw(EAGAIN EIDRM EINTR ENOMSG);

# As in <sys/ipc.h>; not from IPC::SysV, which not every perl has.
use constant { IPC_CREAT => 01000, IPC_EXCL => 02000, IPC_NOWAIT => 04000, IPC_RMID => 0, IPC_STAT => 2 };
use constant { TYPE => "l! a*", KEY => 0x50657231 };

use FindBin qw($Bin);
use lib $Bin;
use IpcChecks;

sub send_text {
  my ($id, $type, $text, $flags) = @_;
  return msgsnd $id, pack(TYPE, $type, $text), $flags // 0;
}

sub receive_text {
  my ($id, $type, $flags) = @_;
  msgrcv $id, my $buffer, 8192, $type, $flags // 0 or return;
  return join " ", unpack TYPE, $buffer;
}

my $requests = msgget KEY, IPC_CREAT | IPC_EXCL | 0600;
my $replies = msgget 0, 0600;
check("two queues, ids $requests and $replies", defined $requests && defined $replies);

# A child that waits, and answers by another queue.
my $server = in_child(
  sub {
    my $own = msgget(KEY, 0) // die "msgget: $!";
    while (1) {
      my ($type, $text) = split / /, receive_text($own, 0) // die("msgrcv: $!"), 2;
      last if $text eq "end";
      send_text($replies, $type, scalar reverse $text) or die "msgsnd: $!";
    }
  });
wait_for_sleep($server);
for my $number (1 .. 5) {
  send_text($requests, $number, "request $number") or die "msgsnd: $!";
  print "reply: ", receive_text($replies, $number) // $!, "\n";
}
send_text($requests, 1, "end");
check("the server ends", is_done($server));

# One message each for many sleepers.
my @workers = map {
  my $own = $_;
  in_child(sub { die "no message of type $own" unless receive_text($requests, $own) eq "$own for $own" });
} 1 .. 8;
wait_for_sleep($_) for @workers;
send_text($requests, $_, "for $_") for reverse 1 .. 8;
check("each worker has its own message", 8 == grep { is_done($_) } @workers);
check("and none is left", !defined receive_text($requests, 0, IPC_NOWAIT) && $! == ENOMSG);

# A full queue puts the sender to sleep until somebody makes room.
my $count = 0;
$count++ while send_text($requests, 1, "f" x 1000, IPC_NOWAIT);
check("$count messages of 1000 bytes fit", $! == EAGAIN);
my $sender = in_child(sub { send_text($requests, 2, "late" x 250) or die "msgsnd: $!" });
wait_for_sleep($sender);
receive_text($requests, 1);
check("the sender goes on when there is room", is_done($sender));
check("its message is in", receive_text($requests, 2) eq "2 " . "late" x 250);

# A signal interrupts the sleep, and is handled.
my $signals = 0;
my $interrupted = in_child(
  sub {
    $SIG{USR1} = sub { $signals++ };
    die "msgrcv gave a message" if defined receive_text($replies, 0);
    die "msgrcv: $!" unless $! == EINTR && $signals == 1;
  });
wait_for_sleep($interrupted);
kill USR1 => $interrupted;
check("a handled signal gives EINTR", is_done($interrupted));

# A killed sleeper takes no message with it.
my $killed = in_child(sub { receive_text($replies, 5) });
wait_for_sleep($killed);
kill KILL => $killed;
waitpid $killed, 0;
send_text($replies, 5, "for the living");
check("the dead take nothing", receive_text($replies, 5) eq "5 for the living");

# Removal wakes whoever sleeps.
my @sleepers = map { in_child(sub { defined receive_text($replies, 3) or $! == EIDRM or die "msgrcv: $!" }) } 1 .. 3;
wait_for_sleep($_) for @sleepers;
check("remove", msgctl $replies, IPC_RMID, 0);
check("sleepers learn of it", 3 == grep { is_done($_) } @sleepers);

check("status", msgctl $requests, IPC_STAT, my $status);
print "bytes of the status: ", length $status, "\n";
check("remove", msgctl $requests, IPC_RMID, 0);
check("gone", !defined msgget KEY, 0);
exit(failures() ? 1 : 0);

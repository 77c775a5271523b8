#!/usr/bin/env perl
# needs: perl
# POSIX message queues from perl, which has no module for them in Debian: by syscall(2) and numbers.
use strict;
use warnings;
use Config;
use Errno;
use Fcntl;
use POSIX ();

if ($Config{archname} !~ /^x86_64/) {
  print "skipped: the numbers are x86-64's\n";
  exit 77;
}
my %number = (open => 240, unlink => 241, send => 242, receive => 243, notify => 244, attr => 245);
$| = 1;

# perl hands on the address of what is a string, which it wants to be a variable, and the value of
# what is a number.
sub answer {
  my ($what, $result) = @_;
  my ($error) = grep { $!{$_} } qw(ENOENT EEXIST EAGAIN EINVAL EMSGSIZE EBADF ETIMEDOUT);
  print "$what: ", $result < 0 ? $error : 'ok', "\n";
  return $result;
}

my $attributes = pack 'q8', 0, 3, 32, 0;
my ($name, $other, $long) = ('perl', 'answers', 'x' x 33);
my $queue = answer 'open', syscall $number{open}, $name, O_CREAT | O_RDWR, 0600, $attributes;
answer 'open again', syscall $number{open}, $name, O_CREAT | O_EXCL | O_RDWR, 0600, $attributes;
answer 'too long', syscall $number{send}, $queue, $long, 33, 0, 0;

# Three children take what the parent sends; each gives back what it got, with its length as priority.
my $answers = syscall $number{open}, $other, O_CREAT | O_RDWR, 0600, $attributes;
my @children = map {
  my $pid = fork;
  if (!$pid) {
    for (1 .. 4) {
      my ($room, $priority) = ("\0" x 32, pack 'L', 0);
      my $length = syscall $number{receive}, $queue, $room, 32, $priority, 0;
      my $text = reverse substr $room, 0, $length;
      syscall $number{send}, $answers, $text, $length, $length, 0;
    }
    POSIX::_exit(0);
  }
  $pid;
} 1 .. 3;
my @got;
for my $n (1 .. 12) {
  my $text = 'm' x $n . $n;
  syscall $number{send}, $queue, $text, length $text, 1, 0;
  my ($room, $priority) = ("\0" x 32, pack 'L', 0);
  my $length = syscall $number{receive}, $answers, $room, 32, $priority, 0;
  push @got, substr($room, 0, $length) . ' ' . unpack 'L', $priority;
}
waitpid $_, 0 for @children;
print "$_\n" for @got;

my $past = pack 'q2', 1, 0;
my $room = "\0" x 32;
answer 'nothing comes', syscall $number{receive}, $queue, $room, 32, 0, $past;
my $old = pack 'q8', (0) x 8;
answer 'attributes', syscall $number{attr}, $queue, 0, $old;
print join(' ', (unpack 'q8', $old)[0 .. 3]), "\n";
answer 'unlink', syscall $number{unlink}, $name;
answer 'unlink again', syscall $number{unlink}, $name;
answer 'unlink the other', syscall $number{unlink}, $other;

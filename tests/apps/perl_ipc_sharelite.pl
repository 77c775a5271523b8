#!/usr/bin/perl
# IPC::ShareLite: a text of any length in as many segments as it needs, under a semaphore set.
# needs: perl ipcs
use strict;
use warnings;

BEGIN {
  unless (eval { require IPC::ShareLite; 1 }) {
    print "skipped: there is no IPC::ShareLite (Debian's package libipc-sharelite-perl has it)\n";
    exit 77;
  }
}
use IPC::ShareLite qw(:lock);

use FindBin qw($Bin);
use lib $Bin;
use IpcChecks;

sub same {
  return IPC::ShareLite->new(-key => 1971, -size => 5000);
}

sub show_objects {
  my ($what) = @_;
  my @counts = map { scalar grep { /^0x/ } qx(ipcs $_) } qw(-m -s);
  print "$what: $counts[0] segments, $counts[1] sets\n";
}

check("not there", !eval { same(); 1 });
my $share = IPC::ShareLite->new(-key => 1971, -create => "yes", -destroy => "no", -mode => 0600, -size => 5000);
check("there already", !eval { IPC::ShareLite->new(-key => 1971, -exclusive => 1); 1 });
check("empty", $share->fetch eq "");
show_objects("fresh");

# It grows and shrinks by segments.
for my $length (1, 100, 4900, 5000, 30000, 1000000, 300, 12345, 0) {
  my $text = join "", map { chr(32 + $_ % 95) } 1 .. $length;
  $share->store($text);
  check("$length bytes", $share->fetch eq $text);
  show_objects($share->num_segments . " segments");
}

# Another process stores more than there is room for, and less.
for my $length (20000, 10) {
  check("a child that stores", is_done(in_child(sub { same()->store("c" x $length) })));
  check("$length bytes", $share->fetch eq "c" x $length);
  show_objects($share->num_segments . " segments");
}
print "version: ", $share->version, "\n";

# Texts are whole, whoever stores them.
my @children = map {
  my $letter = $_;
  in_child(
    sub {
      my $own = same();
      for my $round (1 .. 60) {
        $own->store($letter x (1 + $round * 397 % 17000));
        $own->fetch =~ /^(.)\1*$/ or die "mixed";
      }
    })
} "a" .. "d";
for (1 .. 100) {
  $share->fetch =~ /^(.)\1*$/ or check("mixed", 0);
}
check("four children", 4 == grep { is_done($_) } @children);
print "version: ", $share->version, "\n";

# Several operations under one lock.
$share->store(0);
@children = map {
  in_child(
    sub {
      my $own = same();
      for (1 .. 100) {
        $own->lock(LOCK_EX);
        $own->store($own->fetch + 1);
        $own->unlock;
      }
    })
} 1 .. 4;
check("four children", 4 == grep { is_done($_) } @children);
print "counted: ", $share->fetch, "\n";

# A reader, until it is told to stop.
my $reader = in_child(
  sub {
    my $own = same();
    local $SIG{TERM} = sub { };
    $own->lock(LOCK_SH);
    sleep 30;
    $own->unlock;
  });
wait_for_sleep($reader);
check("another reader", $share->lock(LOCK_SH | LOCK_NB));
$share->unlock;
check("no writer", !$share->lock(LOCK_EX | LOCK_NB));
kill TERM => $reader;
check("it stops", is_done($reader));
check("then a writer", $share->lock(LOCK_EX | LOCK_NB));
$share->unlock;

# One that dies with the lock gives it back.
my $holder = in_child(sub { my $own = same(); $own->lock(LOCK_EX); sleep 30 });
wait_for_sleep($holder);
check("it has the lock", !$share->lock(LOCK_EX | LOCK_NB));
kill KILL => $holder;
check("killed", !is_done($holder));
check("the lock is free", $share->lock(LOCK_EX | LOCK_NB));
$share->unlock;

$share->store("x" x 20000);
show_objects("before the end");
$share->destroy(1);
undef $share;
show_objects("after it");
exit(failures() ? 1 : 0);

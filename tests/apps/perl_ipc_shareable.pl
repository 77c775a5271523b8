#!/usr/bin/perl
# IPC::Shareable: variables that live in segments, with a semaphore set each as a lock.
# needs: perl ipcs
use strict;
use warnings;

BEGIN {
  unless (eval { require IPC::Shareable; 1 }) {
    print "skipped: there is no IPC::Shareable (Debian's package libipc-shareable-perl has it)\n";
    exit 77;
  }
}
use IPC::Shareable qw(:lock);

use FindBin qw($Bin);
use lib $Bin;
use IpcChecks;

sub count_of {
  my ($option) = @_;
  return scalar grep { /^0x/ } qx(ipcs $option);
}

# Ties the caller's variable to the scalar that is tied first below.
sub tie_scalar {
  my ($variable) = @_;
  return tie $$variable, "IPC::Shareable", { key => "scalar" };
}

sub show_objects {
  my ($what) = @_;
  print "$what: ", count_of("-m"), " segments, ", count_of("-s"), " sets\n";
}

check("not there", !eval { tie my $none, "IPC::Shareable", { key => "scalar" }; 1 });
my $knot = tie my $scalar, "IPC::Shareable", { key => "scalar", create => 1, mode => 0600 };
check("a scalar", defined $knot);
check("there already", !eval { tie my $twice, "IPC::Shareable", { key => "scalar", create => 1, exclusive => 1 }; 1 });
$scalar = "text";
check("it has its value", $scalar eq "text");
show_objects("one variable");

# Others see it, and what they store is seen.
check("a child that looks", is_done(in_child(sub { $scalar eq "text" or die "it is $scalar" })));
check(
  "a child that ties it anew, and stores",
  is_done(
    in_child(
      sub {
        tie_scalar(\my $own);
        $own eq "text" or die "it is $own";
        $own = "longer " x 1000;
      })));
check("what it stored", $scalar eq "longer " x 1000);
check("too long for its segment", !eval { $scalar = "x" x 70000; 1 });

# An array, a hash, and what is nested in it, each with a segment of its own.
tie my @array, "IPC::Shareable", { key => "array", create => 1, size => 4000 };
tie my %hash, "IPC::Shareable", { key => "hash", create => 1 };
@array = (1 .. 10);
%hash = (one => 1, two => [2, 22], three => { four => 4 });
show_objects("nested");
check(
  "a child that changes all",
  is_done(
    in_child(
      sub {
        push @array, 11;
        shift @array;
        $hash{three}{five} = 5;
        push @{$hash{two}}, 222;
        delete $hash{one};
      })));
print "array: @array\n";
print "hash: ", join(" ", sort keys %hash), "; @{$hash{two}}; ", join(" ", sort keys %{$hash{three}}), "\n";

# Locks: four children count.
$scalar = 0;
my @children = map {
  in_child(
    sub {
      for (1 .. 100) {
        $knot->lock;
        $scalar++;
        $knot->unlock;
      }
    })
} 1 .. 4;
check("four children", 4 == grep { is_done($_) } @children);
print "counted: $scalar\n";

# Readers share the lock, a writer waits for them.
$knot->lock(LOCK_SH);
check("another reader", is_done(in_child(sub { tie_scalar(\my $own)->lock(LOCK_SH | LOCK_NB) or die })));
check("no writer", is_done(in_child(sub { tie_scalar(\my $own)->lock(LOCK_EX | LOCK_NB) and die })));
my $writer = in_child(sub { my $tied = tie_scalar(\my $own); $tied->lock; $own = "written"; $tied->unlock });
wait_for_sleep($writer);
check("as long as we read", $scalar eq "400");
$knot->unlock;
check("then it writes", is_done($writer) && $scalar eq "written");

# One that dies with the lock gives it back.
my $holder = in_child(sub { tie_scalar(\my $own)->lock; sleep 30 });
wait_for_sleep($holder);
check("it has the lock", !$knot->lock(LOCK_EX | LOCK_NB));
kill KILL => $holder;
check("killed", !is_done($holder));
check("the lock is free", $knot->lock(LOCK_EX | LOCK_NB));
$knot->unlock;

# With "destroy" it goes with who made it, and not before.
check(
  "a child that makes one for itself",
  is_done(
    in_child(
      sub {
        tie my $own, "IPC::Shareable", { key => "own", create => 1, destroy => 1 };
        $own = 1;
      })));
check("is gone with it", !eval { tie my $none, "IPC::Shareable", { key => "own" }; 1 });

show_objects("before the end");
tied(@array)->remove;
IPC::Shareable->clean_up;
show_objects("after it");
exit(failures() ? 1 : 0);

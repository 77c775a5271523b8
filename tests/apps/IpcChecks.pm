# What the perl scenarios share: checks that print a line each, and children.
package IpcChecks;
use strict;
use warnings;
use Exporter qw(import);
our @EXPORT = qw(check failures in_child is_done wait_for_sleep);

$| = 1;
alarm 40;  # nobody sleeps that long here

my $failures = 0;

sub check {
  my ($what, $is_right) = @_;
  my $error = $!;
  $failures++ unless $is_right;
  print $is_right ? "ok" : "WRONG ($error)", "  $what\n";
}

sub in_child {
  my ($work) = @_;
  my $pid = fork // die "fork: $!";
  return $pid if $pid;
  my $status = eval { $work->(); 0 } // 1;
  print STDERR $@ if $@;
  exit $status;
}

sub is_done {
  my ($pid) = @_;
  waitpid $pid, 0;
  return $? == 0;
}

# Until the child sleeps, so that what follows meets it asleep.
sub wait_for_sleep {
  my ($pid) = @_;
  for (1 .. 400) {
    open my $file, "<", "/proc/$pid/stat" or die "/proc/$pid/stat: $!";
    my ($state) = <$file> =~ /.*\) (\S)/;
    select undef, undef, undef, 0.05;
    return if $state eq "S";
  }
}

sub failures { return $failures }

1;

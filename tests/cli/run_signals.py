"""Signals to `ipcell run` reach the program, once."""

import os
import signal
import subprocess
import sys
import time

import cli_test

# Tells each signal that arrives; ends on SIGUSR2. The short naps are for handlers of Python's that
# come between its last look at the flag and its next sleep.
COUNTER = r"""
import os, signal, sys, time
arrived = []
for number in (1, 2, 3, 10, 12, 13, 15, 18, 20, 21, 22, 28, 36):
    signal.signal(number, lambda number, frame: arrived.append(number))
print("ready", os.getpid(), flush=True)
while True:
    time.sleep(0.02)
    while arrived:
        number = arrived.pop(0)
        print(number, flush=True)
        if number == 12:
            sys.exit(3)
"""


def start_counter(cells):
    run = cells.start("run", *cli_test.RUN_OPTIONS, "--", sys.executable, "-c", COUNTER)
    word, pid = run.stdout.readline().split()
    assert word == "ready"
    return run, int(pid)


def rest(run):
    """What else arrives, if something does, and the end."""
    time.sleep(0.1)
    os.kill(run.pid, signal.SIGUSR2)
    numbers = [int(line) for line in run.stdout]
    assert run.wait() == 3
    return numbers


def test_each_is_forwarded_once(cells):
    run, _ = start_counter(cells)
    for number in (1, 2, 3, 10, 15, 18, 20, 21, 22, 28, 36):
        os.kill(run.pid, number)
        assert int(run.stdout.readline()) == number
    assert rest(run) == [12]


def test_default_action(cells):
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1):
        run = cells.start("run", *cli_test.RUN_OPTIONS, "--", "sh", "-c", "ulimit -c 0; echo ready; exec sleep 1000")
        run.stdout.readline()
        os.kill(run.pid, number)
        assert run.wait() == 128 + number
    assert cells.entries() == []


def test_programs_own_signal_to_its_group_is_not_doubled(cells):
    script = COUNTER.replace("while True:", "os.kill(0, 15)\nos.kill(0, 1)\nwhile True:", 1)
    run = cells.start("run", *cli_test.RUN_OPTIONS, "--", sys.executable, "-c", script)
    run.stdout.readline()
    assert sorted(rest(run)) == [1, 12, 15]


def test_stop_and_continue(cells):
    run, pid = start_counter(cells)
    os.kill(pid, signal.SIGSTOP)
    cli_test.wait_until(lambda: cli_test.process_state(pid) == "T", "the program is stopped")
    os.kill(run.pid, signal.SIGCONT)
    cli_test.wait_until(lambda: cli_test.process_state(pid) == "S", "the program goes on")
    assert rest(run) == [18, 12]


def test_alarm_set_before(cells):
    # alarm(2) survives exec: `perl -e 'alarm 5; exec @ARGV'` is a common timeout.
    script = "import os, signal, sys; signal.alarm(1); os.execv(sys.argv[1], sys.argv[1:])"
    result = subprocess.run(
        [sys.executable, "-c", script, cli_test.IPCELL, "run", *cli_test.RUN_OPTIONS, "--", "sleep", "1000"],
        env=cells.environment, check=False, timeout=cli_test.PATIENCE)
    assert result.returncode == 128 + signal.SIGALRM


def test_timeout_command(cells):
    result = subprocess.run(
        ["timeout", "0.3", cli_test.IPCELL, "run", *cli_test.RUN_OPTIONS, "--", "sleep", "1000"],
        env=cells.environment, check=False, timeout=cli_test.PATIENCE)
    assert result.returncode == 124
    assert cells.entries() == []


def test_as_first_process_of_a_pid_namespace(cells):
    # There it inherits orphans: it reaps them, and its status is the program's alone.
    wrapper = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if subprocess.run([*wrapper, "true"], capture_output=True, check=False).returncode != 0:
        raise cli_test.Skip("no new pid namespace for us")
    script = "(sh -c 'exit 9' &); (sh -c 'exit 8' &); sleep 0.2; exit 5"
    result = subprocess.run(
        [*wrapper, cli_test.IPCELL, "run", *cli_test.RUN_OPTIONS, "--", "sh", "-c", script], env=cells.environment,
        capture_output=True, text=True, check=False, timeout=cli_test.PATIENCE)
    assert result.returncode == 5, result
    assert cells.entries() == []


cli_test.main()

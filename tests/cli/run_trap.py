"""`ipcell run --trap`: IPC calls past libc reach the cell; here those of static programs, which a process of
`ipcell run` makes. tests/conformance runs programs that make all of their calls in these ways."""

import os
import signal
import subprocess

import cli_test

STATIC = os.environ["TRAP_STATIC"]
KINDS = (STATIC, os.environ["TRAP_STATIC_PIE"])
RECEIVE = "$q = msgget(4711, 01600); msgrcv($q, $m, 64, 0, 0); print unpack(q(x[q] Z*), $m), qq(\\n);"
SEND = "$q = msgget(4711, 01600); msgsnd($q, pack(q(q Z*), 1, q(from perl)), 0);"
VALUE = "$s = semget(4711, 1, 01600); print semctl($s, 0, 12, 0) + 0, qq(\\n);"


def lines(result):
    assert result.returncode == 0, result
    assert result.stderr == "", result.stderr
    return result.stdout.split("\n")[:-1]


def trap(cells, *command, **options):
    return cells.call("run", "--trap", "--", *command, **options)


def test_static_program(cells):
    for program in KINDS:
        assert lines(trap(cells, program, "send=one", "send=two", "receive", "receive")) == ["one", "two"]
        assert lines(trap(cells, program, "add=2", "value", "last")) == ["2", "1"]
        assert lines(trap(cells, program, "mqueue")) == ["hello 3 0 1"]
        assert lines(trap(cells, program, "bad")) == ["EFAULT EFAULT"]


def test_talks_to_programs_with_the_library(cells):
    script = f"{STATIC} receive & perl -e '{SEND}'; wait; perl -e '{RECEIVE}' & {STATIC} send=static; wait"
    for program in KINDS:
        assert lines(trap(cells, "sh", "-c", script.replace(STATIC, program))) == ["from perl", "static"]


def test_no_kernel_ipc_is_used(cells):
    # As --deny would have it: what is made in the cell is not there in the kernel.
    trap(cells, STATIC, "send=here")
    outside = cells.call("run", "--deny", "--", "true")
    assert outside.returncode == 0
    with open("/proc/sysvipc/msg", encoding="ascii") as file:
        assert not any(line.split()[0] == "4711" for line in file.read().splitlines()[1:])


def test_undo_when_killed(cells):
    script = f"""{STATIC} add=1; {STATIC} take ready pause > out & sleep 0.1
        while ! grep -q ready out; do sleep 0.01; done
        {STATIC} value; perl -e '{VALUE}'; kill -9 $!; wait $! 2>/dev/null; {STATIC} value"""
    result = trap(cells, "bash", "-c", script, cwd=cells.top)
    assert result.stdout.split() == ["0", "0", "1"], result


def test_blocked_call_is_woken_by_the_death(cells):
    script = f"""{STATIC} add=1; {STATIC} take ready pause > out &
        while ! grep -q ready out; do sleep 0.01; done
        {STATIC} take ready > waiter & perl -e '$s = semget(4711, 1, 0);
            select undef, undef, undef, 0.01 until semctl($s, 0, 14, 0) > 0'
        kill -9 %1; wait %2; cat waiter"""
    result = trap(cells, "bash", "-c", script, cwd=cells.top)
    assert result.stdout.split() == ["ready"], result


def test_stopped_in_a_call(cells):
    # It stops, and waits on when it is continued.
    script = f"""{STATIC} ready receive & sleep 0.1; kill -STOP $!
        while ! grep -q "State:.T" /proc/$!/status; do sleep 0.01; done
        kill -CONT $!; {STATIC} send=continued; wait"""
    assert lines(trap(cells, "bash", "-c", script)) == ["ready", "continued"]


def test_signal_ends_a_call(cells):
    script = f"{STATIC} ready receive & sleep 0.1; kill $!; wait $!; echo $?"
    result = trap(cells, "sh", "-c", script)
    assert result.stdout.split() == ["ready", str(128 + signal.SIGTERM)], result


def test_what_it_starts_is_in_the_cell(cells):
    # A static program, here with no environment to give, keeps nothing from the loader.
    environment = "IPCELL_DIR=$IPCELL_DIR IPCELL_CELL=$IPCELL_CELL"
    script = f"{STATIC} send=before fork receive send=after; {environment} {STATIC} receive"
    assert lines(trap(cells, "sh", "-c", script)) == ["before", "after"]
    assert lines(trap(cells, STATIC, "send=kept", f"exec={STATIC} receive")) == ["kept"]


def test_left_behind(cells):
    script = f"{STATIC} ready receive > out 2>&1 < /dev/null & while ! grep -q ready out; do sleep 0.01; done; echo $IPCELL_CELL"
    name, = lines(trap(cells, "sh", "-c", script, cwd=cells.top))
    # It goes on to be served, and its cell stays with it.
    assert cells.list()[name]["state"] == "ok"
    assert lines(cells.call("run", "--name", name, "--", "perl", "-e", SEND)) == []
    with open(os.path.join(cells.top, "out"), encoding="ascii") as out:
        cli_test.wait_until(lambda: "from perl" in (out.seek(0), out.read())[1], "the message")
    cli_test.wait_until(lambda: name not in cells.list(), "the cell is gone")


def test_many_programs_at_once(cells):
    # The limit on descriptors is for each of them.
    script = f"""ulimit -S -n 64; exec {cli_test.IPCELL} run --trap -- sh -c '
        : > out
        for n in $(seq 50); do {STATIC} ready receive >> out & done
        while [ $(grep -c ready out) -lt 50 ]; do sleep 0.01; done
        for n in $(seq 50); do {STATIC} send=$n; done; wait; sort -n out'"""
    result = subprocess.run(["sh", "-c", script], cwd=cells.top, env=cells.environment, text=True, check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert result.stderr == "", result.stderr
    assert lines(result) == ["ready"] * 50 + [str(n) for n in range(1, 51)]


def test_within_another(cells):
    # The outer one serves the programs of the inner one, in the cell of that.
    inner = f"{cli_test.IPCELL} run --trap -- {STATIC}"
    script = f"{STATIC} send=outer; {inner} send=inner receive; {STATIC} receive"
    assert lines(trap(cells, "sh", "-c", script)) == ["inner", "outer"]


def test_other_users(cells):
    cli_test.needs_root()
    script = f"""{STATIC} add=1
        setpriv --reuid 61234 --clear-groups {STATIC} value
        setpriv --reuid 61234 --clear-groups {STATIC} add=1"""
    result = trap(cells, "sh", "-c", script)
    assert result.stdout.split("\n")[:2] == ["semget: EACCES", "semget: EACCES"], result


def test_programs_without_ipc(cells):
    assert lines(trap(cells, "echo", "hello")) == ["hello"]
    assert trap(cells, "false").returncode == 1
    assert "Seccomp:\t2" in trap(cells, "cat", "/proc/self/status").stdout


def test_doctor_says_so(cells):
    report = cells.call("doctor", STATIC)
    assert "--trap" in report.stdout.split("\nprograms\n")[1], report.stdout
    assert "inline system calls" in report.stdout, report.stdout


cli_test.main()

"""A process is killed in front of each system call that changes something, while it makes a namespace, moves, executes
another program, ends, or sweeps: nothing of it stays behind a sweep, and its parent's namespace is whole."""

import os

import cli_test

STEPS = os.environ["NS_STEPS"]
ENDED, NOT_HERE = 3, 77

# Runs in a cell: kills at one stop after the other, and looks after each.
DRIVER = """
import ctypes, os, subprocess, sys, time
steps, ipcell, deed = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
own = os.environ["IPCELL_CELL"]
base = os.environ["IPCELL_DIR"]
queue = libc.msgget(0, 0o600)
class Message(ctypes.Structure):
    _fields_ = [("type", ctypes.c_long), ("text", ctypes.c_char * 8)]
def works():
    sent, got = Message(1, b"alive"), Message()
    return (libc.msgsnd(queue, ctypes.byref(sent), 8, 0) == 0 and
            libc.msgrcv(queue, ctypes.byref(got), 8, 0, 0) == 8 and got.text == b"alive")
def sweep():
    # A stranger that is just between two programs may be anybody's: once more.
    for attempt in range(50):
        subprocess.run([ipcell, "ls"], stdout=subprocess.DEVNULL, check=True)
        left = [name for name in os.listdir(base) if name != own]
        if not left:
            break
        time.sleep(0.02)
    return left
stop = 0
while (status := subprocess.run([steps, str(stop), deed]).returncode) == 0:
    left = sweep()
    if left or not works():
        sys.exit(f"{deed}: killed at stop {stop}: left {left}, parent's namespace works: {works()}")
    stop += 1
print(status, stop)
"""


def kill_at_each(cells, deed, least):
    result = cells.run("python3", "-c", DRIVER, STEPS, cli_test.IPCELL, deed)
    assert result.returncode == 0, (result.stdout, result.stderr)
    status, stops = map(int, result.stdout.split())
    if status == NOT_HERE:
        raise cli_test.Skip("no process can be traced here")
    assert status == ENDED and stops >= least, (deed, status, stops)
    assert cells.entries() == [], (deed, cells.entries())


def test_unshare(cells):
    kill_at_each(cells, "unshare", 25)


def test_setns(cells):
    kill_at_each(cells, "return", 10)


def test_exec(cells):
    kill_at_each(cells, "exec", 10)


def test_exit(cells):
    kill_at_each(cells, "exit", 5)


def test_sweep(cells):
    kill_at_each(cells, "sweep", 25)


def test_fork(cells):
    kill_at_each(cells, "fork", 10)


if __name__ == "__main__":
    cli_test.main()

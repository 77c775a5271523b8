"""Support for the tests of bad input: programs with the library preloaded by hand, in a folder of
cells made for the test.

A test file defines functions test_*(place) and ends with preload.main(). IPCELL_LIBRARY is the
library, QUEUE_SHELL the program of queue_shell.c. Exit status 0, 1, or 77 if every function had to be
skipped.
"""

import errno
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

LIBRARY = os.environ["IPCELL_LIBRARY"]
QUEUE_SHELL = os.environ["QUEUE_SHELL"]
PATIENCE = 20.0  # seconds until something that should happen counts as not happening
OTHER_USER = 61234


class Skip(Exception):
    """This machine cannot show it."""


def needs_root():
    if os.geteuid() != 0:
        raise Skip("needs root")


def become_other_user():
    """For preexec_fn."""
    os.setgroups([])
    os.setgid(OTHER_USER)
    os.setuid(OTHER_USER)


class Shell:
    """A running queue_shell."""

    def __init__(self, environment):
        self.process = subprocess.Popen(
            [QUEUE_SHELL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment, cwd="/")
        self.output = b""

    def start(self, *words):
        self.process.stdin.write((" ".join(str(word) for word in words) + "\n").encode())
        self.process.stdin.flush()

    def answer(self, patience=PATIENCE):
        """The result of the call: a number, or the name of the errno."""
        while b"\n" not in self.output:
            ready = select.select([self.process.stdout], [], [], patience)[0]
            assert ready, "no answer: the call does not return"
            more = os.read(self.process.stdout.fileno(), 4096)
            assert more, f"the program ended: {self.end()}"
            self.output += more
        line, _, self.output = self.output.partition(b"\n")
        number = int(line)
        return errno.errorcode.get(-number, f"errno {-number}") if number < 0 else number

    def call(self, *words):
        self.start(*words)
        return self.answer()

    def end(self):
        """Ends it: its status (of a signal: negative) and what it said on standard error."""
        _, said = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, said.decode(errors="replace")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class Place:
    """A folder for cells: top/cells, where a test puts what it likes in its place."""

    def __init__(self, top=None):
        self.is_own = top is None
        where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.top = top or tempfile.mkdtemp(prefix="ipcell-apps-", dir=where)
        os.chmod(self.top, 0o755)
        self.base = os.path.join(self.top, "cells")
        self.cell = os.path.join(self.base, "default", "cell")
        self.shells = []

    def environment(self, **changes):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith("IPCELL_") and name != "LD_PRELOAD"}
        return dict(kept, LC_ALL="C", LD_PRELOAD=LIBRARY, IPCELL_DIR=self.base, **changes)

    def run(self, *command, **options):
        """A program from start to end."""
        options.setdefault("env", self.environment())
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, errors="replace", timeout=PATIENCE, cwd="/", check=False, **options)

    def shell(self, **changes):
        shell = Shell(self.environment(**changes))
        self.shells.append(shell)
        return shell

    def make_cell(self, queues=1):
        """Has a program make the cell, with a message in each of the queues 0, 1, ..."""
        os.makedirs(self.base, mode=0o700, exist_ok=True)
        shell = self.shell()
        for number in range(queues):
            assert shell.call("get", 100 + number) == number
            assert shell.call("send", number, 1, 100) == 0
        assert shell.end() == (0, "")

    def close(self):
        for shell in self.shells:
            shell.kill()
        if self.is_own:
            shutil.rmtree(self.top, ignore_errors=True)


def expect_no_crash(result):
    assert result.returncode >= 0, f"ended by {signal.Signals(-result.returncode).name}: {result.stderr}"


def expect_refusal(place, *words, **options):
    """The program runs without a cell: it is told ENOSYS, and its user why."""
    if shutil.which("ipcmk") is None:
        raise Skip("there is no ipcmk")
    result = place.run("ipcmk", "-Q", **options)
    expect_no_crash(result)
    assert result.returncode == 1 and "Function not implemented" in result.stderr, result
    lines = result.stderr.splitlines()
    assert lines[0].startswith("ipcell: no cell: "), result.stderr
    for word in words:
        assert word in lines[0], (word, result.stderr)
    # Once, and no word of it to a program that asks for nothing.
    assert result.stderr.count("ipcell: no cell: ") == 1, result.stderr
    silent = place.run("true", **options)
    assert (silent.returncode, silent.stderr) == (0, ""), silent


def main():
    functions = [(name, value) for name, value in vars(sys.modules["__main__"]).items()
                 if name.startswith("test_")]
    # Meson's way to say that the time is over: clean up first.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    failed, skipped = 0, 0
    for name, function in functions:
        place = Place()
        try:
            function(place)
            print(f"ok   {name}")
        except Skip as reason:
            skipped += 1
            print(f"skip {name}: {reason}")
        except Exception:  # whatever it is, it is told, and the others run
            failed += 1
            print(f"FAIL {name}")
            traceback.print_exc(file=sys.stdout)
        finally:
            place.close()
        sys.stdout.flush()
    sys.exit(1 if failed else 77 if skipped == len(functions) else 0)

"""Support for the tests of the command.

A test file defines functions test_*(cells) and ends with cli_test.main(). Each function gets a
folder of cells of its own, which is gone afterwards with all that was started in it.
IPCELL names the command. Exit status: 0, 1, or 77 if every function had to be skipped.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

IPCELL = os.environ["IPCELL"]
PROBE = os.environ.get("IPC_PROBE", "")
SANITIZED = os.environ.get("SANITIZED", "none") != "none"
RUN_OPTIONS = os.environ.get("RUN_OPTIONS", "").split()
PATIENCE = 20.0  # seconds until something that should happen counts as not happening


class Skip(Exception):
    """This machine cannot show it."""


class Cells:
    """A folder of cells, and the command at work on it."""

    def __init__(self):
        where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.top = tempfile.mkdtemp(prefix="ipcell-test-", dir=where)
        self.base = os.path.join(self.top, "cells")
        os.mkdir(self.base, 0o700)
        self.environment = dict(os.environ, IPCELL_DIR=self.base)
        for name in ("IPCELL_CELL", "IPCELL_MODE", "IPCELL_POSIX", "IPCELL_FAULTS", "IPCELL_FAULT_SEED",
                     "IPCELL_FAULT_ILLEGAL", "LD_PRELOAD", "XDG_RUNTIME_DIR"):
            self.environment.pop(name, None)
        self.started = []

    def call(self, *arguments, **options):
        """The command's end: returncode, stdout, stderr."""
        options.setdefault("env", self.environment)
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        return subprocess.run([IPCELL, *arguments], text=True, timeout=3 * PATIENCE, **options)

    def run(self, *command, **options):
        return self.call("run", *RUN_OPTIONS, "--", *command, **options)

    def start(self, *arguments, **options):
        """The command while it runs; in a process group of its own, and killed at the end."""
        options.setdefault("env", self.environment)
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        process = subprocess.Popen(
            [IPCELL, *arguments], text=True, start_new_session=True, **options)
        self.started.append(process)
        return process

    def list(self):
        """`ls --json`, by name."""
        listing = self.call("ls", "--json")
        assert listing.returncode == 0, listing.stderr
        return {cell["name"]: cell for cell in json.loads(listing.stdout)}

    def entries(self):
        """What is in the folder, without the command's help, which sweeps."""
        return sorted(os.listdir(self.base))

    def close(self):
        for process in self.started:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        shutil.rmtree(self.top, ignore_errors=True)


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.005)


def process_state(pid):
    """The letter in /proc/PID/stat; '' if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def wait_for_exec(pid, name):
    """Until the process runs the program `name`."""

    def is_it():
        with open(f"/proc/{pid}/comm", encoding="latin-1") as file:
            return file.read().strip() == name

    wait_until(is_it, f"process {pid} runs {name}")


def is_gone(pid):
    return process_state(pid) in ("", "Z")


def needs_root():
    if os.geteuid() != 0:
        raise Skip("needs root")


def needs_plain_build():
    if SANITIZED:
        raise Skip("a sanitizer's run time wants to be loaded first, and much address space")


def as_user(uid):
    """Options for Cells.call() that make it run as another user, without privileges."""

    def become():
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)

    probe = subprocess.run(
        [IPCELL, "--version"], preexec_fn=become, cwd="/", capture_output=True, check=False)
    if probe.returncode != 0:
        raise Skip("the build folder is closed to other users")
    return {"preexec_fn": become, "cwd": "/"}


def expect_failure(result, status, *words):
    """The command said what is wrong, in these words."""
    assert result.returncode == status, (result.returncode, result.stdout, result.stderr)
    for word in words:
        assert word in result.stderr, (word, result.stderr)
    assert result.stderr.startswith("ipcell: "), result.stderr


def main():
    functions = [(name, value) for name, value in vars(sys.modules["__main__"]).items()
                 if name.startswith("test_")]
    failed, skipped = 0, 0
    for name, function in functions:
        cells = Cells()
        try:
            function(cells)
            print(f"ok   {name}")
        except Skip as reason:
            skipped += 1
            print(f"skip {name}: {reason}")
        except Exception:  # whatever it is, it is told, and the others run
            failed += 1
            print(f"FAIL {name}")
            traceback.print_exc(file=sys.stdout)
        finally:
            cells.close()
        sys.stdout.flush()
    sys.exit(1 if failed else 77 if skipped == len(functions) else 0)

"""Shared memory's calls for the scenarios of shm_*.py, which run themselves in a cell.

A scenario is a function scenario_*() in a file that ends with main(); a test calls in_cell() with
its name. In the cell, calls go to libc by ctypes: memory is filled and read by memset and memcpy,
so that what should not happen is a signal that ends the scenario.
"""

import ctypes
import errno
import os
import signal
import subprocess
import sys
import traceback

import preload

IPC_PRIVATE, IPC_CREAT, IPC_RMID, IPC_STAT, IPC_NOWAIT = 0, 0o1000, 0, 2, 0o4000
SHM_RDONLY, SHM_NORESERVE = 0o10000, 0o10000
SHM_STAT, SHM_INFO = 13, 14
PAGE, MIB, GIB = 4096, 1 << 20, 1 << 30
PATIENCE = 60
SKIPPED = 77

libc = ctypes.CDLL(None, use_errno=True)
libc.shmget.argtypes = [ctypes.c_int, ctypes.c_size_t, ctypes.c_int]
libc.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
libc.shmat.restype = ctypes.c_void_p
libc.shmdt.argtypes = [ctypes.c_void_p]
libc.shmctl.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
libc.msgsnd.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


class Perm(ctypes.Structure):
    _fields_ = [("key", ctypes.c_int), ("uid", ctypes.c_uint), ("gid", ctypes.c_uint), ("cuid", ctypes.c_uint),
                ("cgid", ctypes.c_uint), ("mode", ctypes.c_uint), ("seq", ctypes.c_ushort),
                ("pad", ctypes.c_ushort), ("unused", ctypes.c_ulong * 2)]


class Status(ctypes.Structure):
    _fields_ = [("perm", Perm), ("size", ctypes.c_size_t), ("atime", ctypes.c_long), ("dtime", ctypes.c_long),
                ("ctime", ctypes.c_long), ("cpid", ctypes.c_int), ("lpid", ctypes.c_int),
                ("nattch", ctypes.c_ulong), ("unused", ctypes.c_ulong * 2)]


def checked(result):
    """Raises OSError for -1."""
    if result in (-1, ctypes.c_void_p(-1).value):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def outcome(call, *arguments):
    """What the call returned, or the name of its errno."""
    try:
        return call(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]


def get(size, flags=0o600, key=IPC_PRIVATE):
    return checked(libc.shmget(key, size, flags | IPC_CREAT))


def attach(segment, flags=0, address=None):
    return checked(libc.shmat(segment, address, flags))


def detach(address):
    checked(libc.shmdt(address))


def remove(segment):
    checked(libc.shmctl(segment, IPC_RMID, None))


def status(segment):
    result = Status()
    checked(libc.shmctl(segment, IPC_STAT, ctypes.byref(result)))
    return result


def fill(address, size, byte):
    ctypes.memset(address, byte, size)


def is_full_of(address, size, byte):
    wanted = bytes([byte]) * min(size, MIB)
    return all(ctypes.string_at(address + at, min(MIB, size - at)) == wanted[:size - at] for at in range(0, size, MIB))


def use(size, byte=0x5a):
    """A segment's whole life; its memory must be zero at first."""
    segment = get(size)
    address = attach(segment)
    assert is_full_of(address, size, 0), "a fresh segment is not zero"
    fill(address, size, byte)
    assert is_full_of(address, size, byte), "what was stored is not there"
    detach(address)
    remove(segment)


class Child:
    """Does its work, says what it returned (a line of text), and waits for end() or kill()."""

    def __init__(self, work, *arguments):
        said, self.leash = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            result = "failed"
            try:
                os.close(self.leash[1])
                os.close(said[0])
                result = work(*arguments)
            except BaseException:  # it must not run on as its parent
                traceback.print_exc()
            finally:
                try:
                    os.write(said[1], f"{result}\n".encode())
                    os.close(said[1])
                    os.read(self.leash[0], 1)
                finally:
                    os._exit(0 if result != "failed" else 1)
        os.close(said[1])
        os.close(self.leash[0])
        self.output = open(said[0], "rb")

    def answer(self):
        """What its work returned; empty if it was killed."""
        return self.output.readline().decode().rstrip("\n")

    def end(self):
        try:
            os.write(self.leash[1], b"x")
        except BrokenPipeError:
            pass  # it is dead
        return self.status()

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        return self.status()

    def status(self):
        """Its exit status, or the number of the signal that ended it, negative."""
        ended = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.output.close()
        os.close(self.leash[1])
        return ended


class Skipped(Exception):
    """This machine cannot show it."""


def in_cell(place, name, before=(), options=(), patience=PATIENCE):
    """Runs scenario_NAME of this file in a cell, with the kernel's IPC denied; `before`: words of a
    command that starts another."""
    os.makedirs(place.base, mode=0o700, exist_ok=True)
    kept = {variable: value for variable, value in os.environ.items() if not variable.startswith("IPCELL_")}
    command = [*before, os.environ["IPCELL"], "run", "--deny", *options, "--", sys.executable, sys.argv[0], name]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", cwd="/", start_new_session=True,
        env=dict(kept, IPCELL_DIR=place.base, IPCELL_LIBRARY="", QUEUE_SHELL="", LC_ALL="C"))
    try:
        said, _ = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        raise AssertionError(f"no end after {patience} s:\n{said}") from None
    if process.returncode == SKIPPED:
        raise preload.Skip(said.strip())
    assert process.returncode == 0, f"status {process.returncode}:\n{said}"
    assert "ipcell:" not in said, said


def main(run_tests):
    """The scenario of the command line, or else all tests."""
    if len(sys.argv) < 2:
        run_tests()
    try:
        getattr(sys.modules["__main__"], "scenario_" + sys.argv[1])()
    except Skipped as reason:
        print(reason)
        sys.exit(SKIPPED)

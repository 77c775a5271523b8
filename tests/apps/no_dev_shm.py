"""Python's multiprocessing, unmodified, where libc has no place for named semaphores and shared memory:
no /dev/shm, one that is no folder, or one that can't be written to. Without ipcell it fails there.

Mounts in a mount namespace of its own: needs root.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile

import preload

IPCELL = os.environ["IPCELL"]
PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "python_multiprocessing.py")
PATIENCE = 60.0  # seconds for one run

# A /dev without shm; more is done to it by what follows.
OTHER_DEV = """
mount -t tmpfs ipcell-test "$0"
for name in null zero full random urandom tty; do
  : > "$0/$name"
  mount --bind "/dev/$name" "$0/$name"
done
ln -s /proc/self/fd "$0/fd"
"""
MISSING = OTHER_DEV + 'mount --rbind "$0" /dev'
NO_FOLDER = OTHER_DEV + ': > "$0/shm"; mount --rbind "$0" /dev'
READ_ONLY = "mount -t tmpfs -o ro ipcell-test /dev/shm"
CLOSED = "mount -t tmpfs -o mode=0755 ipcell-test /dev/shm"


class Surroundings:
    """Commands run in a mount namespace where a shell script has changed /dev, with a folder for cells
    that is not in /dev/shm."""

    def __init__(self, script):
        self.top = tempfile.mkdtemp(prefix="ipcell-apps-")
        os.chmod(self.top, 0o755)
        for name in ("dev", "runtime"):
            os.mkdir(os.path.join(self.top, name), 0o700)
        self.runtime = os.path.join(self.top, "runtime")
        self.wrapper = ["unshare", "--mount", "sh", "-ec", script + '\nexec "$@"', self.top + "/dev"]
        self.user = []
        self.python = sys.executable
        probe = subprocess.run(
            [*self.wrapper, "true"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if probe.returncode != 0:
            shutil.rmtree(self.top, ignore_errors=True)
            raise preload.Skip(f"no mount namespace with another /dev: {probe.stderr.strip()}")

    def become_other_user(self):
        if shutil.which("setpriv") is None:
            raise preload.Skip("there is no setpriv")
        self.user = [
            "setpriv", f"--reuid={preload.OTHER_USER}", f"--regid={preload.OTHER_USER}", "--clear-groups", "--"]
        os.chown(self.runtime, preload.OTHER_USER, preload.OTHER_USER)
        # Python may be installed for its user alone, beside the system's.
        if not self.is_readable(self.python):
            self.python = "/usr/bin/python3"
        for file in (IPCELL, preload.LIBRARY, PROGRAM, self.python):
            if not self.is_readable(file):
                raise preload.Skip(f"other users cannot read {file}")

    def is_readable(self, file):
        return subprocess.run([*self.user, "test", "-r", file], check=False).returncode == 0

    def run(self, *command, **variables):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith("IPCELL_") and name != "LD_PRELOAD"}
        environment = dict(kept, LC_ALL="C", XDG_RUNTIME_DIR=self.runtime)
        if variables:
            command = ("env", *(f"{name}={value}" for name, value in variables.items()), *command)
        return subprocess.run(
            [*self.wrapper, *self.user, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="replace", timeout=PATIENCE, cwd="/", check=False,
            env=environment)

    def cells(self):
        """What is where the cells go."""
        base = os.path.join(self.runtime, "ipcell")
        return os.listdir(base) if os.path.isdir(base) else []

    def close(self):
        shutil.rmtree(self.top, ignore_errors=True)


@contextlib.contextmanager
def surroundings(script):
    there = Surroundings(script)
    try:
        yield there
    finally:
        there.close()


def what_it_prints(python):
    """Where all is well."""
    if not os.access("/dev/shm", os.W_OK):
        raise preload.Skip("there is no /dev/shm here to compare with")
    result = subprocess.run(
        [python, PROGRAM], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        timeout=PATIENCE, check=False)
    assert result.returncode == 0, result
    return result.stdout


def expect_it_works(there):
    alone = there.run(there.python, PROGRAM)
    assert alone.returncode != 0 and "Error" in alone.stderr, alone
    print("  without ipcell:", alone.stderr.strip().splitlines()[-1])
    assert "in the cell: /dev/shm cannot be used" in there.run(IPCELL, "doctor").stdout
    expected = what_it_prints(there.python)
    in_cell = there.run(IPCELL, "run", "--", there.python, PROGRAM)
    assert (in_cell.returncode, in_cell.stdout) == (0, expected), in_cell
    assert there.cells() == [], there.cells()
    # The library alone, in the default cell.
    preloaded = there.run(there.python, PROGRAM, LD_PRELOAD=preload.LIBRARY)
    assert (preloaded.returncode, preloaded.stdout) == (0, expected), preloaded
    assert there.cells() == ["default"], there.cells()
    assert there.run(IPCELL, "rm", "default").returncode == 0
    assert there.cells() == [], there.cells()


def test_missing(_):
    with surroundings(MISSING) as there:
        assert not there.run("ls", "/dev/shm").stdout
        expect_it_works(there)


def test_no_folder(_):
    with surroundings(NO_FOLDER) as there:
        expect_it_works(there)


def test_read_only(_):
    with surroundings(READ_ONLY) as there:
        expect_it_works(there)


def test_closed_to_the_user(_):
    with surroundings(CLOSED) as there:
        there.become_other_user()
        expect_it_works(there)


def test_no_cell_either(_):
    """libc's answer, and a word why."""
    with surroundings(READ_ONLY) as there:
        result = there.run(
            there.python, PROGRAM, LD_PRELOAD=preload.LIBRARY, IPCELL_DIR="/no/such/folder")
        assert result.returncode != 0 and "ipcell: no cell: /no/such/folder" in result.stderr, result
        assert "Read-only file system" in result.stderr, result


preload.main()

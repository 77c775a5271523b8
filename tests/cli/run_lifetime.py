"""Programs may outlive `ipcell run`, which may be killed itself: no cell is lost, none stays."""

import os
import signal
import subprocess
import time

import cli_test
from cli_test import is_gone, wait_until

# Starts a process in the background, and tells its id and the cell's name.
BACKGROUND = "sleep 1000 </dev/null >/dev/null 2>&1 & echo $! $IPCELL_CELL"


def kill(pid):
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: is_gone(pid), "the process is gone")


def test_background_process_keeps_the_cell(cells):
    pid, name = cells.run("sh", "-c", BACKGROUND).stdout.split()
    pid = int(pid)
    try:
        assert cells.entries() == [name]
        cell = cells.list()[name]
        assert cell["orphaned"] and cell["transient"] and cell["processes"] == [pid], cell
        assert "runner" not in cell
        # Another run sweeps, and leaves it alone.
        assert cells.run("true").returncode == 0
        assert cells.entries() == [name]
    finally:
        kill(pid)
    # Killed, it could not clean up itself: the next command does.
    assert cells.list() == {}
    assert cells.entries() == []


def test_background_process_with_another_environment(cells):
    # The mapping counts, too: a process may have written over its environment.
    script = """
import mmap, os, sys
path = os.path.join(os.environ["IPCELL_DIR"], os.environ["IPCELL_CELL"], "cell")
with open(path, "rb") as file:
    page = mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ)
    if os.fork() == 0:
        os.setsid()
        os.dup2(os.open("/dev/null", os.O_RDWR), 1)
        os.dup2(1, 2)
        os.execve("/bin/sleep", ["sleep", "1000"], {}) if len(sys.argv) > 1 else os.read(0, 1)
        os._exit(0)
print(os.environ["IPCELL_CELL"])
"""
    reader, writer = os.pipe()
    name = cells.run("python3", "-c", script, stdin=reader).stdout.strip()
    os.close(reader)
    assert cells.list()[name]["orphaned"]
    os.close(writer)
    wait_until(lambda: cells.list() == {}, "the cell is removed")


def test_killed_runner(cells):
    run = cells.start("run", *cli_test.RUN_OPTIONS, "--", "sh", "-c", "echo $$ $IPCELL_CELL; exec sleep 1000")
    pid, name = run.stdout.readline().split()
    pid = int(pid)
    run.kill()
    run.wait()
    # The program lives on in its cell.
    assert cells.list()[name]["processes"] == [pid]
    assert cells.list()[name]["orphaned"]
    kill(pid)
    assert cells.entries() == [name]
    assert cells.run("true").returncode == 0
    assert cells.entries() == []


def test_live_runner_is_left_alone(cells):
    run = cells.start("run", *cli_test.RUN_OPTIONS, "--", "sh", "-c", "echo $IPCELL_CELL; exec sleep 1000")
    name = run.stdout.readline().strip()
    for _ in range(3):
        assert list(cells.list()) == [name]
    assert not cells.list()[name]["orphaned"]
    run.terminate()
    assert run.wait() == 143
    assert cells.entries() == []


def test_stopped_program_keeps_the_cell(cells):
    run = cells.start("run", *cli_test.RUN_OPTIONS, "--", "sh", "-c", "echo $$ $IPCELL_CELL; exec sleep 1000")
    pid, name = run.stdout.readline().split()
    os.kill(int(pid), signal.SIGSTOP)
    wait_until(lambda: cli_test.process_state(int(pid)) == "T", "the program is stopped")
    time.sleep(0.1)
    assert run.poll() is None
    # It was stopped alone, and not by a terminal: the runner watches on.
    assert cli_test.process_state(run.pid) == "S"
    assert list(cells.list()) == [name]
    os.kill(int(pid), signal.SIGKILL)
    assert run.wait() == 137


def test_runner_killed_at_any_time(cells):
    for n in range(60):
        run = cells.start("run", *cli_test.RUN_OPTIONS, "--", "sleep", "1000", stdout=subprocess.DEVNULL)
        time.sleep(n * 0.0001)
        run.kill()
        run.wait()
        try:
            os.killpg(run.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def is_clean():
        cells.call("ls")
        # A draft without the name of its maker is left alone for a minute.
        return all(name.startswith(".new-") for name in cells.entries())

    wait_until(is_clean, "all cells are removed")


def test_rests_of_interrupted_commands(cells):
    now = time.time()
    for entry, age in ((".gone-old", 0), (".new-run-1-00000000", 3600), (".new-run-2-00000000", 0)):
        folder = os.path.join(cells.base, entry)
        os.mkdir(folder, 0o700)
        with open(os.path.join(folder, "cell"), "w", encoding="ascii"):
            pass
        os.utime(folder, (now - age, now - age))
    assert cells.call("ls").returncode == 0
    # The last one may be somebody's who is just at it.
    assert cells.entries() == [".new-run-2-00000000"]


def test_foreign_files_are_never_deleted(cells):
    assert cells.call("run", "--keep", "--", "true").returncode == 0
    name = cells.entries()[0]
    folder = os.path.join(cells.base, name)
    with open(os.path.join(folder, "thesis.tex"), "w", encoding="ascii"):
        pass
    with open(os.path.join(folder, "runner"), "w", encoding="ascii") as file:
        file.write("pid 1\nstart 1\npidns 1\nboot none\n")
    result = cells.call("ls")
    assert result.returncode == 0 and folder in result.stderr, result.stderr
    assert sorted(os.listdir(folder)) == ["cell", "runner", "thesis.tex"]


cli_test.main()

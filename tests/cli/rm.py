"""`ipcell rm` removes cells, and nothing else."""

import os
import signal

import cli_test
from cli_test import expect_failure


def make(cells, *names):
    for name in names:
        assert cells.call("run", "--name", name, "--", "true").returncode == 0


def test_removes(cells):
    make(cells, "one", "two", "three")
    assert cells.call("rm", "one", "three").returncode == 0
    assert cells.entries() == ["two"]


def test_no_such_cell(cells):
    make(cells, "one")
    expect_failure(cells.call("rm", "none", "one"), 1, "none", "ipcell ls")
    assert cells.entries() == []
    cells.environment["IPCELL_DIR"] = os.path.join(cells.top, "missing")
    expect_failure(cells.call("rm", "none"), 1, "none")


def test_usage(cells):
    expect_failure(cells.call("rm"), 2, "NAME")
    for name in ("..", "../cells", "a/b", ".", ""):
        expect_failure(cells.call("rm", name), 1, "name")


def test_cell_in_use(cells):
    run = cells.start("run", "--name", "work", "--", "sh", "-c", "echo $$; exec sleep 1000")
    pid = run.stdout.readline().strip()
    cli_test.wait_for_exec(pid, "sleep")
    expect_failure(cells.call("rm", "work"), 1, "work", pid, "sleep", "--force")
    assert cells.entries() == ["work"]
    assert cells.call("rm", "--force", "work").returncode == 0
    assert cells.entries() == []
    assert run.poll() is None
    os.kill(int(pid), signal.SIGTERM)
    assert run.wait() == 143


def test_cell_of_a_live_run(cells):
    run = cells.start("run", "--", "sh", "-c", "echo $$ $IPCELL_CELL; exec sleep 1000")
    pid, name = run.stdout.readline().split()
    cli_test.wait_for_exec(pid, "sleep")
    expect_failure(cells.call("rm", name), 1, name, "sleep")
    assert cells.call("rm", "--force", name).returncode == 0
    # It finds nothing to remove, which is no failure of the program's.
    run.terminate()
    assert run.wait() == 143


def test_damaged_cells_can_be_removed(cells):
    make(cells, "short", "noise", "empty")
    os.truncate(os.path.join(cells.base, "short", "cell"), 3)
    with open(os.path.join(cells.base, "noise", "cell"), "r+b") as file:
        file.write(os.urandom(4096))
    os.unlink(os.path.join(cells.base, "empty", "cell"))
    assert cells.call("rm", "short", "noise", "empty").returncode == 0
    assert cells.entries() == []


def test_folders_of_other_things(cells):
    make(cells, "work")
    thesis = os.path.join(cells.base, "work", "thesis.tex")
    with open(thesis, "w", encoding="ascii"):
        pass
    expect_failure(cells.call("rm", "--force", "work"), 1, "work", "not a cell's")
    assert sorted(os.listdir(os.path.join(cells.base, "work"))) == ["cell", "thesis.tex"]
    os.mkdir(os.path.join(cells.base, "home"))
    os.mkdir(os.path.join(cells.base, "home", "cell"))
    expect_failure(cells.call("rm", "home"), 1, "home")
    os.symlink("work", os.path.join(cells.base, "link"))
    expect_failure(cells.call("rm", "link"), 1, "link", "symbolic link")
    with open(os.path.join(cells.base, "file"), "w", encoding="ascii"):
        pass
    expect_failure(cells.call("rm", "file"), 1, "file", "not a folder")
    assert os.path.exists(thesis)


cli_test.main()

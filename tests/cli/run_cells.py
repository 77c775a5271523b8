"""Which cell `ipcell run` takes, and what becomes of it."""

import os
import stat

import cli_test
from cli_test import expect_failure, wait_until

SHOW = ("sh", "-c", 'ls "$IPCELL_DIR"; echo "$IPCELL_CELL"; ls "$IPCELL_DIR/$IPCELL_CELL"')


def test_fresh_cell_is_removed(cells):
    result = cells.run(*SHOW)
    listed, name, *files = result.stdout.split()
    assert listed == name and name.startswith("run-"), result.stdout
    assert files == ["cell", "runner"], result.stdout
    assert cells.entries() == []
    assert cells.run(*SHOW).stdout.split()[0] != name


def test_modes_of_files(cells):
    os.umask(0o777)
    try:
        result = cells.run("sh", "-c", 'stat -c %a "$IPCELL_DIR/$IPCELL_CELL" "$IPCELL_DIR/$IPCELL_CELL/cell"')
    finally:
        os.umask(0o022)
    assert result.stdout.split() == ["700", "600"], result


def test_kept_cell(cells):
    result = cells.call("run", "--keep", "--", *SHOW)
    name = result.stdout.split()[1]
    assert name in result.stderr and "ipcell rm" in result.stderr, result.stderr
    assert cells.entries() == [name]
    cell = cells.list()[name]
    assert not cell["transient"] and cell["state"] == "ok", cell
    assert cells.call("rm", name).returncode == 0
    assert cells.entries() == []


def test_named_cell_stays(cells):
    for _ in range(2):
        result = cells.call("run", "--name", "work", "--", *SHOW)
        assert result.stdout.split() == ["work", "work", "cell"], result.stdout
        assert cells.entries() == ["work"]
    assert not cells.list()["work"]["transient"]


def test_runs_at_the_same_time_have_their_own(cells):
    runs = [cells.start("run", "--", "sh", "-c", "echo $IPCELL_CELL; exec sleep 1000") for _ in range(4)]
    names = {run.stdout.readline().strip() for run in runs}
    assert len(names) == 4
    listed = cells.list()
    assert set(listed) == names
    for run in runs:
        assert [cell for cell in listed.values() if cell.get("runner") == run.pid], listed
        run.terminate()
    for run in runs:
        assert run.wait() == 128 + 15
    assert cells.entries() == []


def test_removed_though_the_program_died(cells):
    assert cells.run("sh", "-c", "kill -9 $$").returncode == 137
    assert cells.entries() == []


def test_damaged_cell_is_refused(cells):
    assert cells.call("run", "--name", "work", "--", "true").returncode == 0
    path = os.path.join(cells.base, "work", "cell")
    with open(path, "r+b") as file:
        file.write(b"scribble")
    expect_failure(cells.call("run", "--name", "work", "--", "true"), 125, path, "ipcell rm")
    with open(path, "r+b") as file:
        file.truncate(100)
    expect_failure(cells.call("run", "--name", "work", "--", "true"), 125, path, "ipcell rm")


def test_cell_of_an_earlier_boot_is_started_afresh(cells):
    assert cells.call("run", "--name", "work", "--", "true").returncode == 0
    path = os.path.join(cells.base, "work", "cell")
    inode = os.stat(path).st_ino
    with open(path, "r+b") as file:
        file.seek(32)  # Header::boot_id
        file.write(b"an earlier boot.")
    assert cells.list()["work"]["state"] == "other boot"
    result = cells.call("run", "--name", "work", "--", "true")
    assert result.returncode == 0, result.stderr
    assert os.stat(path).st_ino != inode
    assert cells.list()["work"]["state"] == "ok"


def test_shared_cell(cells):
    cells.environment.pop("IPCELL_DIR")
    expect_failure(cells.call("run", "--mode", "0666", "--name", "work", "--", "true"), 125, "IPCELL_DIR")
    shared = os.path.join(cells.top, "shared")
    os.chmod(cells.top, 0o755)
    os.mkdir(shared)
    cells.environment["IPCELL_DIR"] = shared
    os.chmod(shared, 0o777)
    expect_failure(cells.call("run", "--mode", "0666", "--name", "work", "--", "true"), 125, shared, "+t")
    os.chmod(shared, 0o1777)
    ask = ("run", "--mode", "0666", "--name", "work", "--", "sh", "-c", "echo $IPCELL_MODE")
    result = cells.call(*ask)
    assert (result.returncode, result.stdout) == (0, "0666\n"), result
    assert stat.S_IMODE(os.stat(os.path.join(shared, "work")).st_mode) == 0o1777
    assert stat.S_IMODE(os.stat(os.path.join(shared, "work", "cell")).st_mode) == 0o666
    # A private cell does not go to a folder that all may write to.
    expect_failure(cells.run("true"), 125, shared)
    assert cells.list()["work"]["state"] == "ok"

    cli_test.needs_root()
    other = cli_test.as_user(61234)
    result = cells.call(*ask, **other)
    assert (result.returncode, result.stdout) == (0, "0666\n"), result
    expect_failure(cells.call("rm", "work", **other), 1, "work")
    assert cells.call("rm", "work").returncode == 0


def test_private_cells_are_closed_to_others(cells):
    cli_test.needs_root()
    assert cells.call("run", "--name", "work", "--", "true").returncode == 0
    os.chmod(cells.top, 0o755)
    expect_failure(
        cells.call("run", "--name", "work", "--", "true", **cli_test.as_user(61234)), 125, "another user")


def test_waits_for_those_who_end_with_it(cells):
    # The reader of a pipe ends a moment after its writer: it does not leave the cell behind.
    result = cells.run("sh", "-c", "{ cat >/dev/null; } & exec true", stdin=None, input="")
    assert result.returncode == 0
    wait_until(lambda: cells.list() == {}, "the cell is removed")


cli_test.main()

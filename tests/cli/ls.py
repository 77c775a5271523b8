"""`ipcell ls`: what it says of good cells and of bad ones."""

import os
import struct
import time

import cli_test

# Offsets in Header (core/cell/layout.h).
VERSION, SIGNATURE, BOOT_ID, CREATED, POISONED, POISON_REASON = 8, 16, 32, 48, 56, 96


def make(cells, name):
    assert cells.call("run", "--name", name, "--", "true").returncode == 0
    return os.path.join(cells.base, name, "cell")


def patch(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def state(cells, name):
    cell = cells.list()[name]
    return cell["state"], cell["reason"]


def test_nothing_to_list(cells):
    result = cells.call("ls")
    assert (result.returncode, result.stdout) == (0, ""), result
    assert cells.base in result.stderr
    assert cells.call("ls", "--json").stdout == "[]\n"
    cells.environment["IPCELL_DIR"] = os.path.join(cells.top, "missing")
    assert cells.call("ls", "--json").stdout == "[]\n"
    assert not os.path.exists(cells.environment["IPCELL_DIR"])


def test_fields(cells):
    path = make(cells, "work")
    patch(path, CREATED, struct.pack("<Q", int(time.time()) - 7200))
    cell = cells.list()["work"]
    assert set(cell) == {
        "name", "path", "state", "reason", "bytes", "age_seconds", "namespace", "ipc_namespace",
        "transient", "orphaned", "tasks", "processes", "queues", "semaphore_sets", "segments", "posix_queues", "posix_names", "faults"}, cell
    assert cell["path"] == os.path.dirname(path)
    assert (cell["state"], cell["reason"]) == ("ok", "")
    assert 0 < cell["bytes"] == os.stat(path).st_blocks * 512
    assert not cell["namespace"] and 0xe0000000 <= cell["ipc_namespace"] < 0xe8000000
    assert 7200 <= cell["age_seconds"] < 7200 + cli_test.PATIENCE
    assert (cell["tasks"], cell["processes"], cell["queues"], cell["semaphore_sets"], cell["segments"],
            cell["posix_queues"], cell["posix_names"]) == (0, [], 0, 0, 0, 0, 0)


def test_table(cells):
    make(cells, "work")
    make(cells, "a-cell-with-a-rather-long-name")
    lines = cells.call("ls").stdout.splitlines()
    assert lines[0].split() == ["NAME", "SIZE", "AGE", "PROCESSES", "QUEUES", "SEM", "SETS", "SEGMENTS", "MQUEUES", "POSIX", "STATE"]
    assert [line.split()[0] for line in lines[1:]] == ["a-cell-with-a-rather-long-name", "work"]
    assert all(line.endswith("  ok") for line in lines[1:]), lines


def test_looking_takes_no_room(cells):
    path = make(cells, "work")
    before = os.stat(path).st_blocks
    for _ in range(3):
        cells.list()
    assert os.stat(path).st_blocks == before


def test_processes(cells):
    run = cells.start("run", "--name", "work", "--", "sh", "-c", "sleep 1000 & echo $$ $!; wait")
    pids = sorted(map(int, run.stdout.readline().split()))
    assert cells.list()["work"]["processes"] == pids


def test_bad_cells(cells):
    patch(make(cells, "version"), VERSION, struct.pack("<I", 999))
    patch(make(cells, "signature"), SIGNATURE, b"xxxxxxxx")
    patch(make(cells, "boot"), BOOT_ID, b"0123456789abcdef")
    patch(make(cells, "magic"), 0, b"notacell")
    os.truncate(make(cells, "short"), 20)
    os.truncate(make(cells, "cut"), 8192)
    os.chmod(make(cells, "mode"), 0o606)
    path = make(cells, "pipe")
    os.unlink(path)
    os.mkfifo(path)
    path = make(cells, "link")
    os.rename(path, path + ".moved")
    os.symlink("cell.moved", path)
    expected = {
        "version": "other version", "signature": "other version", "boot": "other boot",
        "magic": "damaged", "short": "damaged", "cut": "damaged", "mode": "refused",
        "pipe": "damaged", "link": "damaged"}
    cells_now = cells.list()
    assert {name: cell["state"] for name, cell in cells_now.items()} == expected
    assert all(cell["reason"] for cell in cells_now.values())
    assert cells.call("ls").returncode == 0


def test_poisoned_cell(cells):
    path = make(cells, "work")
    patch(path, POISONED, struct.pack("<I", 1))
    patch(path, POISON_REASON, b"a list \x1b[31mloops\x00")
    what, reason = state(cells, "work")
    assert what == "damaged" and "a list ?[31mloops" in reason, reason
    assert "\x1b" not in cells.call("ls").stdout


def test_scribbled_cells(cells):
    # Whatever stands in it, the command says something and lives.
    path = make(cells, "work")
    size = os.stat(path).st_size
    with open(path, "rb") as file:
        head = file.read(65536)
    for seed in range(40):
        noise = bytearray(head)
        for n in range(200):
            at = (seed * 7919 + n * 104729) % (len(noise) - 8)
            # Some spare the magic, the version and what else leads further in.
            if seed % 2 == 0 and at < CREATED:
                continue
            noise[at:at + 4] = struct.pack("<I", (seed * 2654435761 + n * 40503) & 0xffffffff)
        patch(path, 0, bytes(noise))
        os.truncate(path, size)
        result = cells.call("ls", "--json")
        assert result.returncode == 0, (seed, result)


def test_other_things_are_not_cells(cells):
    os.mkdir(os.path.join(cells.base, "folder"))
    os.mkdir(os.path.join(cells.base, ".hidden"))
    with open(os.path.join(cells.base, "file"), "w", encoding="ascii"):
        pass
    path = make(cells, "work")
    os.symlink(os.path.dirname(path), os.path.join(cells.base, "link"))
    assert list(cells.list()) == ["work"]
    assert len(cells.entries()) == 5


cli_test.main()

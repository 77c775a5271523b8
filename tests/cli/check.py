"""`ipcell check` says whether cells are whole."""

import os
import signal

import cli_test
from cli_test import expect_failure

HEADER_PAGES = 4096


def make(cells, name, script="ipcmk -Q; ipcmk -S 3; ipcmk -M 4096"):
    result = cells.call("run", "--name", name, "--", "sh", "-c", script)
    assert result.returncode == 0, result


def test_whole(cells):
    make(cells, "one")
    make(cells, "two", "true")
    result = cells.call("check", "one", "two")
    assert result.returncode == 0, result
    assert result.stdout == ("one: whole; 1 queues, 1 sets, 1 segments, 0 POSIX queues\n"
                             "two: whole; 0 queues, 0 sets, 0 segments, 0 POSIX queues\n"), result


def test_after_kills(cells):
    make(cells, "work")
    script = "i=0; while [ $i -lt 20 ]; do ipcmk -Q; ipcs -q; i=$((i + 1)); done; true"
    result = cells.call("run", "--name", "work", "--seed", "5", "--fault", "sysv.* p=10%=kill(after)", "--", "sh", "-c", script)
    assert "Killed" in result.stderr, result
    assert cells.call("check", "work").returncode == 0
    assert cells.call("rm", "work").returncode == 0


def test_damaged(cells):
    make(cells, "work")
    # The registries' counts stand in the tables; all bits set are wrong in each.
    with open(os.path.join(cells.base, "work", "cell"), "r+b") as file:
        head = file.read(1 << 20)
        place = head.index(b"\xff\xff\xff\xff", HEADER_PAGES)
        file.seek(place - 64)
        file.write(b"\x7e" * 192)
    expect_failure(cells.call("check", "work"), 1, "work: ")


def test_refused(cells):
    make(cells, "work")
    expect_failure(cells.call("check", "none"), 1, "none", "ipcell ls")
    expect_failure(cells.call("check"), 2, "NAME")
    busy = cells.start("run", "--name", "work", "--", "sh", "-c", "ipcs -q; echo; exec sleep 60")
    busy.stdout.readline()
    expect_failure(cells.call("check", "work"), 1, "in use by", "end them first")
    busy.send_signal(signal.SIGTERM)


cli_test.main()

"""`ipcell run --limit`: a cell's limits are what it says before the program starts."""

import os

import cli_test
from cli_test import expect_failure

FILES = ("/proc/sys/kernel/msgmnb", "/proc/sys/kernel/sem", "/proc/sys/fs/mqueue/msg_max", "/proc/sys/kernel/shmmax")
OTHER_USER = 61234
USUAL = ["16384", "32000\t1024000000\t500\t32000", "10", "18446744073692774399"]


def limits(cells, *options):
    result = cells.call("run", *options, "--", "cat", *FILES)
    assert result.returncode == 0, result
    return result.stdout.splitlines()


def test_fresh_cell(cells):
    assert limits(cells) == USUAL
    assert limits(cells, "--limit", "kernel.msgmnb=65536") == ["65536"] + USUAL[1:]
    assert limits(
        cells, "--limit", "kernel.msgmnb=0x100", "--limit", "kernel.sem=250 32000 32 128", "--limit=fs.mqueue.msg_max=99",
        "--limit", "kernel.shmmax=4096") == ["256", "250\t32000\t32\t128", "99", "4096"]
    # Some of a vector; the last of two counts; a path's name.
    assert limits(cells, "--limit", "kernel.sem=7 8", "--limit", "kernel/msgmnb=1", "--limit", "kernel.msgmnb=2") == \
        ["2", "7\t8\t500\t32000"] + USUAL[2:]
    assert cells.entries() == []


def test_named_cell_keeps_them(cells):
    assert limits(cells, "--name", "work", "--limit", "kernel.msgmnb=5") == ["5"] + USUAL[1:]
    assert limits(cells, "--name", "work") == ["5"] + USUAL[1:]
    assert limits(cells, "--name", "work", "--limit", "fs.mqueue.msg_max=11") == ["5", USUAL[1], "11", USUAL[3]]


def test_they_hold_for_the_program(cells):
    result = cells.call("run", "--limit", "kernel.msgmni=1", "--", "sh", "-c", "ipcmk -Q && ipcmk -Q")
    assert result.returncode != 0 and "No space left" in result.stderr, result
    result = cells.call("run", "--limit", "kernel.msg_next_id=77", "--", "ipcmk", "-Q")
    assert result.stdout == "Message queue id: 77\n", result


def test_owner_who_is_not_root(cells):
    cli_test.needs_root()
    other = cli_test.as_user(OTHER_USER)
    os.chmod(cells.top, 0o755)
    os.chown(cells.base, OTHER_USER, OTHER_USER)
    script = """cd /proc/sys/kernel && echo 5 > msgmax && echo 8 > msg_next_id && test -w msgmax -a -w msg_next_id &&
        cat msgmax msgmnb msg_next_id && ! echo 9 > msgmni_ && ! (echo word > msgmax)"""
    result = cells.call("run", "--limit", "kernel.msgmnb=7", "--", "sh", "-c", script, **other)
    assert result.returncode == 0 and result.stdout == "5\n7\n8\n", result


def test_wrong_ones(cells):
    for option, part in (
            ("kernel.msgmnb", "no `=`"),
            ("kernel.msgmb=5", "there is no limit kernel.msgmb; there are kernel.msgmax, kernel.msgmnb"),
            ("=5", "without a name"),
            ("kernel.msgmnb=", "should be a number from 0 to 2147483647"),
            ("kernel.msgmnb=-1", "should be a number from 0 to 2147483647"),
            ("kernel.msgmnb=5 6", "should be a number from 0 to 2147483647"),
            ("kernel.msgmni=32769", "should be a number from 0 to 32768"),
            ("fs.mqueue.msgsize_max=127", "should be a number from 128 to 16777216"),
            ("kernel.shmall=x", "should be a number from 0 to 18446744073709551615"),
            ("kernel.sem=1 2 3 32769", "the last from 0 to 32768"),
            ("kernel.shm_rmid_forced=2", "should be a number from 0 to 1")):
        expect_failure(cells.call("run", "--limit", option, "--", "true"), 125, part)
        assert cells.entries() == [], (option, cells.entries())


cli_test.main()

"""A cell file that is not what it should be: refused, never repaired, and never the death of a
program."""

import os
import random
import struct
import time

import preload
from preload import expect_refusal

# Offsets of core/cell/layout.h: struct Header.
MAGIC, VERSION, MODE, SIGNATURE, FILE_SIZE, BOOT_ID = 0, 8, 12, 16, 24, 32
HEADER_SIZE = 256


def write_at(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def content(path):
    with open(path, "rb") as file:
        return file.read(HEADER_SIZE)


def test_truncated(place):
    place.make_cell()
    size = os.stat(place.cell).st_size
    for length in (size - 1, size - 4096, size // 2, 1 << 20, 8192, 4096):
        os.truncate(place.cell, length)
        expect_refusal(place, place.cell, "its size is not a cell's", "ipcell rm")
        assert os.stat(place.cell).st_size == length
    for length in (100, 1, 0):
        os.truncate(place.cell, length)
        expect_refusal(place, place.cell, "it is not a cell", "ipcell rm")


def test_grown(place):
    place.make_cell()
    os.truncate(place.cell, os.stat(place.cell).st_size + 4096)
    expect_refusal(place, place.cell, "its size is not a cell's")


def test_other_version(place):
    place.make_cell()
    version = struct.unpack_from("I", content(place.cell), VERSION)[0]
    for other in (version + 1, 0, 0xffffffff):
        write_at(place.cell, VERSION, struct.pack("I", other))
        expect_refusal(place, place.cell, "another version of ipcell", "ipcell rm")


def test_other_signature(place):
    place.make_cell()
    write_at(place.cell, SIGNATURE, b"\0" * 8)
    expect_refusal(place, place.cell, "another version of ipcell")


def test_another_kind_of_file(place):
    place.make_cell()
    size = os.stat(place.cell).st_size
    with open(place.cell, "wb") as file:
        file.write(b"#!/bin/sh\necho this is no cell\n" * 100)
    os.truncate(place.cell, size)
    expect_refusal(place, place.cell, "it is not a cell")
    assert content(place.cell).startswith(b"#!/bin/sh")


def test_of_an_earlier_boot(place):
    place.make_cell()
    write_at(place.cell, BOOT_ID, bytes(range(16)))
    shell = place.shell()
    assert shell.call("stat", 0) == "EINVAL", "it is started afresh"
    assert shell.call("get", 100) == 0
    assert shell.end() == (0, "")


def test_not_a_regular_file(place):
    os.makedirs(os.path.dirname(place.cell), mode=0o700)
    os.chmod(place.base, 0o700)
    os.mkfifo(place.cell)
    expect_refusal(place, place.cell, "not a regular file")
    os.unlink(place.cell)
    os.symlink("/etc/passwd", place.cell)
    expect_refusal(place, place.cell, "not a regular file")
    os.unlink(place.cell)
    os.mkdir(place.cell)
    expect_refusal(place, place.cell)


def test_of_another_user(place):
    preload.needs_root()
    place.make_cell()
    os.chown(place.cell, preload.OTHER_USER, -1)
    expect_refusal(place, place.cell, "it belongs to another user")


def test_writable_by_others(place):
    place.make_cell()
    os.chmod(place.cell, 0o666)
    expect_refusal(place, place.cell, "others may write to it")


def test_unreadable(place):
    if os.geteuid() == 0:
        raise preload.Skip("root reads everything")
    place.make_cell()
    os.chmod(place.cell, 0)
    expect_refusal(place, place.cell)


def test_scribbled_header(place):
    """Behind the fields that tell whether it is a cell of this version and boot."""
    for seed in range(200):
        source = random.Random(seed)
        place.make_cell(queues=3)
        offset = source.randrange(BOOT_ID + 16, HEADER_SIZE)
        scribble(place, seed, [(offset, source.randbytes(source.choice((1, 4, 8, 32))))])


def test_scribbled_tables(place):
    """Where something stands behind the header: registry, heap, tasks, queues, messages."""
    for seed in range(200):
        source = random.Random(seed)
        place.make_cell(queues=3)
        scribble(place, seed, [(offset, source.randbytes(source.choice((1, 2, 4, 8, 64))))
                               for offset in source.sample(used_offsets(place.cell), 12)])


def test_scribbled_under_sleepers(place):
    """Sleepers stay asleep, or their calls fail: their programs go on."""
    for seed in range(20):
        source = random.Random(seed)
        place.make_cell(queues=3)
        sleepers = [place.shell() for _ in range(2)]
        empty = sleepers[0].call("get", 777)
        for shell, kind in zip(sleepers, (5, -3)):
            assert shell.call("stat", 0) == 1
            shell.start("receive", empty, kind)
        time.sleep(0.1)
        scribble(place, seed, [(offset, source.randbytes(source.choice((1, 4, 8))))
                               for offset in source.sample(used_offsets(place.cell), 12)])
        for shell in sleepers:
            status = shell.process.poll()
            assert status in (None, 0), f"seed {seed}: a sleeper's status is {status}"
            shell.kill()


def scribble(place, seed, pieces):
    for offset, data in pieces:
        write_at(place.cell, offset, data)
    try:
        expect_life_goes_on(place)
    except AssertionError as error:
        text = " ".join(f"{offset}:{data.hex()}" for offset, data in pieces)
        raise AssertionError(f"seed {seed}, scribbled {text}: {error}") from None
    os.unlink(place.cell)


def used_offsets(path):
    """Where there is something to spoil: the words that are not 0, but for the header's page."""
    offsets = []
    position = 4096
    with open(path, "rb") as file:
        while True:
            try:
                start = os.lseek(file.fileno(), position, os.SEEK_DATA)
            except OSError:
                return offsets
            position = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            file.seek(start)
            data = file.read(position - start)
            offsets += [start + n for n in range(0, len(data), 4) if any(data[n:n + 4])]


def expect_life_goes_on(place):
    """Whatever the calls answer, they answer, and the program ends by itself."""
    shell = place.shell()
    for queue in range(4):
        for words in (("get", 100 + queue), ("stat", queue), ("send", queue, 2, 50), ("try", queue, 0),
                      ("try", queue, -5), ("send", queue, 1, 8192), ("remove", queue), ("get", 200 + queue)):
            shell.call(*words)
    status, _ = shell.end()
    assert status == 0, f"status {status}"
    result = place.run("ipcs", "-q")
    preload.expect_no_crash(result)


preload.main()

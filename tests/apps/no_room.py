"""A filesystem too small for the cell, or that gets full: an error from the call, never SIGBUS.

Mounts small tmpfs in a mount namespace of its own: needs root.
"""

import contextlib
import ctypes
import os

import preload
from preload import expect_refusal

CLONE_NEWNS = 0x20000
MS_REC, MS_PRIVATE, MS_NOSUID, MNT_DETACH = 0x4000, 1 << 18, 2, 2
libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def small_filesystem(place, size):
    """A tmpfs in the place of the folder of cells, seen by this process and its children."""
    if libc.unshare(CLONE_NEWNS) != 0:
        raise preload.Skip("no mount namespace to be had: needs root")
    if libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        raise preload.Skip("mounts cannot be made private here")
    os.mkdir(place.base, 0o700)
    options = f"size={size},mode=0700".encode()
    if libc.mount(b"ipcell-test", place.base.encode(), b"tmpfs", MS_NOSUID, options) != 0:
        raise preload.Skip(f"no tmpfs can be mounted: {os.strerror(ctypes.get_errno())}")
    try:
        yield
    finally:
        libc.umount2(place.base.encode(), MNT_DETACH)


def fill(path):
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass


def test_fills_up(place):
    with small_filesystem(place, "1m"):
        shell = place.shell()
        queues, messages = [], 0
        answer = None
        for key in range(1, 200):
            answer = shell.call("get", key)
            if not isinstance(answer, int):
                break
            queues.append(answer)
            while (answer := shell.call("send", queues[-1], 1, 4000)) == 0:
                messages += 1
            if answer != "EAGAIN":
                break
        assert answer in ("ENOMEM", "ENOSPC"), answer
        assert len(queues) > 2 and messages > 8, (queues, messages)
        # What is in the cell comes out whole, and makes room for more.
        for queue in queues:
            while (answer := shell.call("try", queue, 0)) == 4000:
                messages -= 1
            assert answer == "ENOMSG", answer
        assert messages == 0, messages
        assert shell.call("send", queues[0], 1, 4000) == 0
        # Another program may lack room for a task of its own, and is told so.
        other = place.shell()
        answer = other.call("stat", queues[0])
        status, said = other.end()
        assert status == 0
        assert (answer, said) == (1, "") or (answer == "ENOSYS" and "ipcell: no task slot" in said), (answer, said)
        assert shell.end() == (0, "")


def test_is_full_from_the_start(place):
    with small_filesystem(place, "1m"):
        fill(place.base + "/filling")
        expect_refusal(place, "filesystem is full")
        assert os.listdir(place.base) in (["filling"], ["filling", "default"], ["default", "filling"])
        os.unlink(place.base + "/filling")
        shell = place.shell()
        assert shell.call("get", 1) == 0
        assert shell.end() == (0, "")


def test_smaller_than_a_cell(place):
    with small_filesystem(place, "64k"):
        expect_refusal(place, "filesystem is full")
        assert os.listdir(os.path.dirname(place.cell)) == []


def test_becomes_full_while_in_use(place):
    with small_filesystem(place, "2m"):
        shell = place.shell()
        assert shell.call("get", 1) == 0
        fill(place.base + "/filling")
        answers = {shell.call(*words) for _ in range(20) for words in (("send", 0, 1, 8000), ("send", 0, 1, 500), ("get", 0))}
        assert answers - set(range(100)) <= {"ENOMEM", "ENOSPC", "EAGAIN"}, answers
        # A second program needs a task's slot, which may be one page too many.
        other = place.shell()
        assert other.call("get", 1) in (0, "ENOMEM", "ENOSPC", "ENOSYS")
        status, said = other.end()
        assert status == 0, (status, said)
        os.unlink(place.base + "/filling")
        while shell.call("try", 0, 0) != "ENOMSG":
            pass
        assert shell.call("send", 0, 1, 8000) == 0
        assert shell.end()[0] == 0


preload.main()

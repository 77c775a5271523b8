"""The memory of segments: what shmget(2) gave can be filled to the last byte, whatever the filesystem
has left; it is zero at first; it comes back when a segment is gone.

Some scenarios mount a small tmpfs in a mount namespace of their own: they need root.
"""

import ctypes
import errno
import os
import shutil
import subprocess
import tempfile
import time

import preload
import shm_calls
from shm_calls import (GIB, MIB, PAGE, Child, Skipped, attach, detach, fill, get, in_cell, is_full_of, libc,
                       outcome, remove, status, use)

NO_ROOM = ("ENOMEM", "ENOSPC")

# --- in a filesystem of its own


def small_filesystem(place, size):
    """Words of a command that starts another with a tmpfs in the place of the folder of cells."""
    os.makedirs(place.base, mode=0o700, exist_ok=True)
    script = f'mount -t tmpfs -o size={size},mode=700 ipcell-test "{place.base}" && exec "$@"'
    words = ["unshare", "--mount", "sh", "-c", script, "sh"]
    if shutil.which("unshare") is None or subprocess.run([*words, "true"], capture_output=True, check=False).returncode != 0:
        raise preload.Skip("no filesystem of our own to fill: needs root")
    return words


def free_bytes():
    room = os.statvfs(os.environ["IPCELL_DIR"])
    return room.f_bavail * room.f_frsize


def fill_filesystem():
    """Another file takes all that is left; its path."""
    path = os.environ["IPCELL_DIR"] + "/filling"
    with open(path, "wb", buffering=0) as file:
        for size in (MIB, PAGE):
            try:
                while True:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, size)
            except OSError:
                pass
    return path


def get_all(sizes):
    """Segments of these sizes, again and again, until there is no more: their ids and sizes."""
    segments = []
    while True:
        for size in sizes:
            segment = outcome(get, size)
            if isinstance(segment, str):
                assert segment in NO_ROOM, segment
                return segments
            segments.append((segment, size))


def attach_all(segments):
    """Those that could be attached, by address; a first attachment needs a record."""
    addresses = []
    for segment, size in segments:
        address = outcome(attach, segment)
        assert address not in ("EINVAL", "EIDRM", "EACCES"), address
        if not isinstance(address, str):
            addresses.append((address, size))
    return addresses


def fill_all(addresses, byte):
    """Fills each, looks at each again, and detaches it."""
    for number, (address, size) in enumerate(addresses):
        assert is_full_of(address, size, 0)
        fill(address, size, (byte + number) % 256)
    for number, (address, size) in enumerate(addresses):
        assert is_full_of(address, size, (byte + number) % 256)
        detach(address)


def remove_all(segments):
    for segment, _ in segments:
        remove(segment)


def get_and_fill(sizes, byte):
    segments = get_all(sizes)
    addresses = attach_all(segments)
    fill_all(addresses, byte)
    remove_all(segments)
    return len(addresses)


def fill_heap():
    """Messages and semaphores until there is no more."""
    text = ctypes.create_string_buffer(8200)
    ctypes.c_long.from_buffer(text).value = 1
    messages = semaphores = 0
    for _ in range(200):
        queue = libc.msgget(0, 0o600)
        while queue >= 0 and libc.msgsnd(queue, text, 8000, shm_calls.IPC_NOWAIT) == 0:
            messages += 1
        if queue < 0 or ctypes.get_errno() != errno.EAGAIN:
            break
    while libc.semget(0, 500, 0o600) >= 0 and semaphores < 1000:
        semaphores += 1
    return messages + semaphores


def expect_room_again(before):
    """All but what the cell itself took meanwhile, records and tasks."""
    after = free_bytes()
    assert before - after < MIB, f"{(before - after) // 1024} KiB have not come back"


def expect_numbers(children):
    answers = [child.answer() for child in children]
    ends = [child.end() for child in children]
    assert ends == [0] * len(children), f"ends {ends}, answers {answers}"
    assert all(answer.isdigit() for answer in answers), answers


def start_together(works):
    """Children that each have joined the cell before any of them begins."""
    ready, go = os.pipe(), os.pipe()

    def join_and_wait(work, arguments):
        os.close(go[1])
        outcome(status, 0)
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        return work(*arguments)

    children = [Child(join_and_wait, work, arguments) for work, *arguments in works]
    for _ in children:
        os.read(ready[0], 1)
    for end in (*ready, *go):
        os.close(end)
    return children


def scenario_fills_up():
    use(PAGE)
    before = free_bytes()
    for sizes in ([MIB], [5 * MIB + 100, PAGE, 1], [256 * 1024, 3 * PAGE]):
        assert get_and_fill(sizes, 7) * max(sizes) > 8 * MIB, sizes
        expect_room_again(before)
    assert outcome(get, 400 * MIB) in NO_ROOM
    expect_room_again(before)


def scenario_fills_up_from_many_sides():
    use(PAGE)
    before = free_bytes()
    for _ in range(3):
        children = start_together([(get_and_fill, sizes, 10 * number) for number, sizes in
                                   enumerate(([MIB], [700 * 1024], [PAGE, 3 * MIB], [64 * 1024]))])
        expect_numbers(children)
    expect_room_again(before)


def scenario_heap_fills_up_meanwhile():
    use(PAGE)
    held = [(get(MIB), MIB) for _ in range(8)]
    addresses = attach_all(held)
    assert len(addresses) == len(held)
    children = start_together([(fill_heap,), (get_and_fill, [MIB], 1), (get_and_fill, [5 * PAGE], 1)])
    expect_numbers(children)
    fill_all(addresses, 99)
    remove_all(held)


def scenario_others_fill_it():
    held = [(get(MIB), MIB) for _ in range(8)]
    addresses = attach_all(held)
    assert len(addresses) == len(held)
    path = fill_filesystem()
    assert free_bytes() < MIB
    assert outcome(get, MIB) in NO_ROOM
    fill_all(addresses, 3)
    remove_all(held[4:])
    use(2 * MIB)  # what they gave back
    os.unlink(path)
    use(16 * MIB)
    remove_all(held[:4])


def hold_attached(segment, size):
    address = attach(segment)
    fill(address, size, 1)
    return address


def scenario_last_death_gives_back():
    use(PAGE)
    before = free_bytes()
    size = 16 * MIB
    segment = get(size)
    child = Child(hold_attached, segment, size)
    assert child.answer() != ""
    remove(segment)
    assert free_bytes() < before - size + MIB
    child.kill()
    assert outcome(status, segment) == "EINVAL"
    expect_room_again(before)
    # Nobody asks for it: another process's first call will do, of another kind too.
    segment = get(size)
    child = Child(hold_attached, segment, size)
    assert child.answer() != ""
    remove(segment)
    child.kill()
    other = Child(lambda: libc.msgget(0, 0o600))
    expect_numbers([other])
    expect_room_again(before)
    # Room that is needed is taken from the dead.
    size = 40 * MIB
    segment = get(size)
    child = Child(hold_attached, segment, size)
    assert child.answer() != ""
    remove(segment)
    child.kill()
    use(size)


def live_on(size):
    """Segments' lives, without end."""
    while True:
        segment = outcome(get, size)
        if isinstance(segment, str):
            continue
        address = outcome(attach, segment)
        remove(segment)
        if not isinstance(address, str):
            assert is_full_of(address, size, 0), "a fresh segment is not zero"
            fill(address, size, 0x77)
            detach(address)


def remove_everything():
    """What a process left that died before it could mark it."""
    highest = shm_calls.checked(libc.shmctl(0, shm_calls.SHM_INFO, ctypes.create_string_buffer(256)))
    for index in range(highest + 1):
        segment = libc.shmctl(index, shm_calls.SHM_STAT, ctypes.byref(shm_calls.Status()))
        if segment >= 0:
            remove(segment)
    return highest


def scenario_killed_anywhere():
    use(PAGE)
    before = free_bytes()
    for turn in range(40):
        children = [Child(live_on, size) for size in (PAGE, MIB, 6 * MIB)]
        time.sleep(0.02 + turn * 0.0013)
        ends = [child.kill() for child in children]
        assert ends == [-9] * 3, ends
        use(20 * MIB)
    # One that joins the cell takes over what the dead were about to do.
    expect_numbers([Child(remove_everything)])
    expect_room_again(before)


def fill_all_there_is():
    for size in (4 * MIB, 256 * 1024, PAGE):
        for segment, _ in get_all([size]):
            address = outcome(attach, segment)
            remove(segment)
            if not isinstance(address, str):
                fill(address, size, 1)
    return free_bytes()


def scenario_dead_hold_all():
    """No living process has the cell, and the segments of the dead leave no room for anything."""
    child = Child(fill_all_there_is)
    assert int(child.answer()) < 64 * 1024
    child.kill()
    others = [Child(lambda: shm_calls.checked(libc.msgget(0, 0o600))) for _ in range(2)]
    expect_numbers(others)
    use(2 * MIB)


def scenario_small_promises():
    """Where pages are paid for when touched: many ask at once, and what they got is all there."""
    sizes = [160 * MIB]
    for _ in range(2):
        children = start_together([(get_and_fill, sizes, number) for number in range(6)])
        expect_numbers(children)


def test_fills_up(place):
    in_cell(place, "fills_up", small_filesystem(place, "64m"))


def test_fills_up_from_many_sides(place):
    in_cell(place, "fills_up_from_many_sides", small_filesystem(place, "64m"))


def test_heap_fills_up_meanwhile(place):
    in_cell(place, "heap_fills_up_meanwhile", small_filesystem(place, "64m"))


def test_others_fill_it(place):
    in_cell(place, "others_fill_it", small_filesystem(place, "64m"))


def test_last_death_gives_back(place):
    in_cell(place, "last_death_gives_back", small_filesystem(place, "64m"))


def test_killed_anywhere(place):
    in_cell(place, "killed_anywhere", small_filesystem(place, "64m"))


def test_dead_hold_all(place):
    in_cell(place, "dead_hold_all", small_filesystem(place, "8m"))


def test_promises(place):
    available = os.sysconf("SC_AVPHYS_PAGES") * PAGE
    if available < 6 * GIB:
        raise preload.Skip("too little memory is free")
    in_cell(place, "small_promises", small_filesystem(place, "2560m"))


# --- in the usual folder


def scenario_is_zero_again():
    sizes = [1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE, 64 * 1024, 64 * 1024 + 1, MIB, 2 * MIB, 5 * MIB + 77]
    for round_number in range(4):
        for size in sizes:
            use(size, 0xa0 + round_number)
        # Several at once, removed in another order than they were made in, so that gaps of all sizes come about.
        segments = [(get(size), size) for size in sizes]
        fill_all(attach_all(segments), 50)
        remove_all(segments[::2])
        again = [(get(size), size) for size in reversed(sizes)]
        fill_all(attach_all(again), 70)
        remove_all(again + segments[1::2])


def scenario_is_zero_after_a_death():
    size = MIB
    for _ in range(10):
        segment = get(size)
        child = Child(hold_attached, segment, size)
        assert child.answer() != ""
        remove(segment)
        child.kill()
        use(size)
        use(2 * size)


def touch_over_all(segment, size, step):
    """A few pages over all of it, the first and the last among them, seen by another process too."""
    address = attach(segment)
    places = [*range(0, size, step), size - PAGE]
    for at in places:
        assert ctypes.string_at(address + at, PAGE) == bytes(PAGE)
        ctypes.c_ulong.from_address(address + at).value = at + 1
    child = Child(lambda: all(ctypes.c_ulong.from_address(address + at).value == at + 1 for at in places))
    assert child.answer() == "True"
    assert child.end() == 0
    assert status(segment).nattch == 1
    detach(address)


def scenario_huge_reserved():
    size = 64 * GIB
    if free_bytes() < size + 4 * GIB:
        raise Skipped("the disk has no room for 64 GiB")
    before = free_bytes()
    segment = get(size)
    touch_over_all(segment, size, 512 * MIB)
    remove(segment)
    assert before - free_bytes() < GIB, "the room has not come back"


def scenario_huge_unreserved():
    size = 64 * GIB
    for _ in range(2):
        segment = get(size, 0o600 | shm_calls.SHM_NORESERVE)
        touch_over_all(segment, size, 512 * MIB)
        remove(segment)
    assert outcome(get, 1 << 62) in NO_ROOM


def scenario_thousand():
    segments = [(get(PAGE * (1 + number % 5)), PAGE * (1 + number % 5)) for number in range(1000)]
    addresses = []
    for number, (segment, size) in enumerate(segments):
        addresses.append(attach(segment))
        fill(addresses[-1], size, number % 256)
    child = Child(lambda: all(is_full_of(address, size, number % 256) for number, (address, (_, size))
                              in enumerate(zip(addresses, segments))))
    assert child.answer() == "True"
    assert all(status(segment).nattch == 2 for segment, _ in segments)
    assert child.end() == 0
    assert all(status(segment).nattch == 1 for segment, _ in segments)
    for number in range(0, 1000, 2):
        detach(addresses[number])
        remove(segments[number][0])
    for number in range(1, 1000, 2):
        assert is_full_of(addresses[number], segments[number][1], number % 256)
        remove(segments[number][0])
        detach(addresses[number])
        assert outcome(status, segments[number][0]) == "EINVAL"


def test_is_zero_again(place):
    in_cell(place, "is_zero_again")


def test_is_zero_after_a_death(place):
    in_cell(place, "is_zero_after_a_death")


def test_huge_reserved(place):
    """On a disk, where room is reserved at once."""
    place.base = tempfile.mkdtemp(prefix="ipcell-apps-", dir="/var/tmp")
    try:
        in_cell(place, "huge_reserved")
    finally:
        shutil.rmtree(place.base, ignore_errors=True)


def test_huge_unreserved(place):
    in_cell(place, "huge_unreserved")


def test_thousand(place):
    in_cell(place, "thousand")


shm_calls.main(preload.main)

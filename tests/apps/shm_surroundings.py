"""Shared memory in processes that have bounded or changed what they may reach: another root, another
user, no descriptors, little address space, locked memory."""

import ctypes
import mmap
import os
import resource
import tempfile

import preload
import shm_calls
from shm_calls import (GIB, MIB, PAGE, SHM_RDONLY, Child, Skipped, attach, checked, detach, fill, get, in_cell, is_full_of,
                       libc, outcome, remove, status, use)

FIRST_USER, SECOND_USER = 61234, 61235
MCL_CURRENT, MCL_FUTURE = 1, 2

# --- one process


class Before:
    """What a process has of shared memory before something changes."""

    def __init__(self):
        self.attached, self.known, self.leaving = get(3 * MIB), get(2 * PAGE, 0o666), get(MIB)
        self.address = attach(self.attached)
        fill(self.address, 3 * MIB, 0x11)
        address = attach(self.known)
        fill(address, 2 * PAGE, 0x22)
        detach(address)
        self.leaving_address = attach(self.leaving)
        fill(self.leaving_address, MIB, 0x33)

    def expect_all(self, is_owner=True):
        """All of it, and all that is new, works as ever."""
        assert is_full_of(self.address, 3 * MIB, 0x11)
        address = attach(self.known)
        assert is_full_of(address, 2 * PAGE, 0x22)
        again = attach(self.known, SHM_RDONLY)
        assert is_full_of(again, 2 * PAGE, 0x22)
        assert status(self.known).nattch == 2
        detach(address)
        detach(again)
        expect_new_works()
        child = Child(lambda: is_full_of(self.address, 3 * MIB, 0x11) and expect_new_works() is None)
        assert child.answer() == "True"
        assert child.end() == 0
        # The last one to detach gives the memory back.
        if is_owner:
            remove(self.leaving)
        detach(self.leaving_address)
        for size in (MIB, 4 * MIB):
            use(size)
        detach(self.address)
        if is_owner:
            remove(self.attached)
            remove(self.known)
            for size in (3 * MIB, 2 * PAGE):
                use(size)


def expect_new_works():
    for size in (1, PAGE, 64 * 1024, 5 * MIB + 1):
        use(size)
    segment = get(10 * PAGE)
    addresses = [attach(segment) for _ in range(3)]
    fill(addresses[0] + PAGE, PAGE, 5)
    assert all(is_full_of(address + PAGE, PAGE, 5) for address in addresses)
    for address in addresses:
        detach(address)
    remove(segment)


def scenario_no_descriptors_open():
    before = Before()
    os.closerange(3, 4096)
    checked(libc.close_range(3, 0x7fffffff, 0))
    before.expect_all()


def exhaust_descriptors():
    """Opens what can be opened."""
    opened = []
    while not isinstance(fd := outcome(os.open, "/dev/null", os.O_RDONLY), str):
        opened.append(fd)
    assert fd == "EMFILE", fd
    return opened


def scenario_no_descriptors_left():
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    before = Before()
    # What the children of the scenario need are opened before.
    pipes = [os.pipe() for _ in range(2)]
    exhaust_descriptors()
    use(PAGE)
    use(5 * MIB)
    for pair in pipes:
        for end in pair:
            os.close(end)
    before.expect_all()


def scenario_other_root():
    before = Before()
    os.chroot(os.environ["EMPTY_FOLDER"])
    os.chdir("/")
    before.expect_all()


def scenario_other_root_soon():
    """The one call before it had nothing to do with memory."""
    checked(libc.msgget(0, 0o600))
    os.chroot(os.environ["EMPTY_FOLDER"])
    os.chdir("/")
    expect_new_works()


def scenario_other_user():
    """A cell that only root may use: who was let in stays in."""
    before = Before()
    os.setgroups([])
    os.setgid(FIRST_USER)
    os.setuid(FIRST_USER)
    assert outcome(attach, before.attached) == "EACCES"
    assert outcome(remove, before.leaving) == "EPERM"
    before.expect_all(is_owner=False)


def scenario_other_user_and_root():
    before = Before()
    os.chroot(os.environ["EMPTY_FOLDER"])
    os.chdir("/")
    os.setgroups([])
    os.setgid(FIRST_USER)
    os.setuid(FIRST_USER)
    checked(libc.close_range(3, 0x7fffffff, 0))
    before.expect_all(is_owner=False)


def bound_address_space(size):
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (size, hard))


def scenario_little_address_space():
    """As if the limit were there from the start: nothing of IPC has been done yet."""
    bound_address_space(8 * GIB)
    before = Before()
    # The rest of it is the program's.
    memory = mmap.mmap(-1, 4 * GIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)
    memory.close()
    before.expect_all()


def scenario_little_from_the_start():
    before = Before()
    before.expect_all()


def scenario_no_descriptors_either():
    """Then nothing can be attached, but that is all."""
    bound_address_space(8 * GIB)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    segment = get(MIB)
    address = attach(segment)
    fill(address, MIB, 1)
    opened = exhaust_descriptors()
    for _ in range(3):
        other = outcome(attach, get(MIB))
        assert other in ("ENOMEM", "EMFILE"), other
    assert is_full_of(address, MIB, 1)
    detach(address)
    remove(segment)
    for fd in opened:
        os.close(fd)
    use(MIB)
    expect_new_works()


def scenario_far_too_little_address_space():
    """What does not fit is refused, and what is there stays."""
    bound_address_space(4 * GIB)
    segment = get(4 * GIB, 0o600 | shm_calls.SHM_NORESERVE)
    assert outcome(attach, segment) == "ENOMEM"
    assert status(segment).nattch == 0
    remove(segment)
    expect_new_works()


def scenario_address_space_is_bounded_later():
    before = Before()
    bound_address_space(8 * GIB)
    memory = mmap.mmap(-1, GIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)
    memory.close()
    before.expect_all()
    bound_address_space(resource.RLIM_INFINITY)
    expect_new_works()


def scenario_files_are_bounded_later():
    before = Before()
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    before.expect_all()


def scenario_locked_later():
    before = Before()
    checked(libc.mlockall(MCL_CURRENT | MCL_FUTURE))
    locked = locked_kib()
    # Nothing but the program's own, and what it has attached.
    assert locked < 512 * 1024, f"{locked} KiB are locked"
    before.expect_all()
    libc.munlockall()
    expect_new_works()


def scenario_locked_first():
    checked(libc.mlockall(MCL_CURRENT | MCL_FUTURE))
    before = Before()
    locked = locked_kib()
    assert locked < 4 * MIB, f"{locked} KiB are locked"
    before.expect_all()


def locked_kib():
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmLck:"))


def as_unprivileged(scenario):
    """Under a user's limits: root's capabilities override them."""
    def run():
        try:
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (4 * GIB, 4 * GIB))
        except (OSError, ValueError):
            raise Skipped("the limit of locked memory cannot be raised here") from None
        checked(libc.msgget(0, 0o600))
        os.setgroups([])
        os.setgid(FIRST_USER)
        os.setuid(FIRST_USER)
        scenario()
    return run


scenario_user_locked_later = as_unprivileged(scenario_locked_later)
scenario_user_locked_first = as_unprivileged(scenario_locked_first)


def test_no_descriptors_open(place):
    in_cell(place, "no_descriptors_open")


def test_no_descriptors_left(place):
    in_cell(place, "no_descriptors_left")


def with_empty_folder(place, *scenarios):
    preload.needs_root()
    with tempfile.TemporaryDirectory() as folder:
        for scenario in scenarios:
            in_cell(place, scenario, ["env", "EMPTY_FOLDER=" + folder])


def test_other_root(place):
    with_empty_folder(place, "other_root", "other_root_soon")


def test_other_user(place):
    preload.needs_root()
    in_cell(place, "other_user")


def test_other_user_and_root(place):
    with_empty_folder(place, "other_user_and_root")


def test_little_address_space(place):
    in_cell(place, "little_address_space")


def with_limit(option, value):
    return ["sh", "-c", f'ulimit {option} {value}; exec "$@"', "sh"]


def test_little_address_space_from_the_start(place):
    in_cell(place, "little_from_the_start", with_limit("-v", 8 * MIB))


def test_small_files_from_the_start(place):
    """A cell cannot be made then, but used."""
    in_cell(place, "little_from_the_start", options=["--name", "made"])
    in_cell(place, "little_from_the_start", with_limit("-f", 64), options=["--name", "made"])


def test_no_descriptors_either(place):
    in_cell(place, "no_descriptors_either")


def test_far_too_little_address_space(place):
    in_cell(place, "far_too_little_address_space")


def test_address_space_is_bounded_later(place):
    in_cell(place, "address_space_is_bounded_later")


def test_files_are_bounded_later(place):
    in_cell(place, "files_are_bounded_later")


def needs_lockable_memory():
    """All of the cell may be locked, and so gets memory."""
    preload.needs_root()
    if os.sysconf("SC_AVPHYS_PAGES") * PAGE < 4 * GIB:
        raise preload.Skip("too little memory is free")


def test_locked_later(place):
    needs_lockable_memory()
    in_cell(place, "locked_later")


def test_locked_first(place):
    needs_lockable_memory()
    in_cell(place, "locked_first")


def test_user_locked_later(place):
    needs_lockable_memory()
    in_cell(place, "user_locked_later")


def test_user_locked_first(place):
    needs_lockable_memory()
    in_cell(place, "user_locked_first")


# --- several users


def as_user(user, work, *arguments):
    def run():
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
        return work(*arguments)
    return Child(run)


def write_and_leave(segment, byte):
    address = attach(segment)
    seen = ctypes.string_at(address, 1)[0]
    fill(address, MIB, byte)
    return seen


def scenario_several_users():
    maker = as_user(FIRST_USER, lambda: f"{get(MIB, 0o666)} {get(MIB, 0o600)} {get(MIB, 0o644)}")
    for_all, for_one, readable = (int(word) for word in maker.answer().split())
    assert maker.end() == 0
    # Each sees what the other wrote, dead or alive.
    first = as_user(FIRST_USER, write_and_leave, for_all, 1)
    assert first.answer() == "0"
    second = as_user(SECOND_USER, write_and_leave, for_all, 2)
    assert second.answer() == "1"
    assert status(for_all).nattch == 2
    assert first.kill() == -9
    assert second.end() == 0
    assert status(for_all).nattch == 0
    stranger = as_user(SECOND_USER, lambda: " ".join(str(outcome(*words)) for words in (
        (attach, for_one), (attach, readable), (remove, for_one), (detach, attach(readable, SHM_RDONLY)))))
    assert stranger.answer() == "EACCES EACCES EPERM None"
    assert stranger.end() == 0
    # One removes, another is the last to go, and a third finds the memory zero.
    keeper = as_user(SECOND_USER, write_and_leave, for_all, 3)
    assert keeper.answer() == "2"
    remover = as_user(FIRST_USER, remove, for_all)
    assert remover.answer() == "None"
    assert remover.end() == 0
    assert keeper.end() == 0
    third = as_user(FIRST_USER + 2, lambda: [use(MIB) for _ in range(5)].count(None))
    assert third.answer() == "5"
    assert third.end() == 0
    assert outcome(status, for_all) == "EINVAL"
    for segment in (for_one, readable):
        remove(segment)
    use(3 * MIB)


def test_several_users(place):
    preload.needs_root()
    os.makedirs(place.base)
    os.chmod(place.base, 0o1777)
    in_cell(place, "several_users", options=["--mode", "0666"])


shm_calls.main(preload.main)

"""`ipcell run --posix`: named POSIX semaphores and shared memory are the cell's, and go with it."""

import os
import stat
import subprocess
import sys

import cli_test
from cli_test import expect_failure

BOOT_ID = 32  # its offset in Header (core/cell/layout.h)
OTHER_USER = 61234
PYTHON = sys.executable

# Makes calls, one an argument, and prints what each gives: a value or an errno's name.
CALLS = """
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.sem_open.restype = ctypes.c_void_p

def answer(result, is_failure):
    return errno.errorcode[ctypes.get_errno()] if is_failure else result

def sem(name, flags, value=0):
    address = libc.sem_open(name.encode(), flags, 0o666, value)
    if address is None:
        return answer(None, True)
    value = ctypes.c_int()
    libc.sem_getvalue(ctypes.c_void_p(address), ctypes.byref(value))
    return value.value

def make_sem(name, value): return sem(name, os.O_CREAT | os.O_EXCL, int(value))
def open_sem(name): return sem(name, 0)
def unlink_sem(name): return answer(0, libc.sem_unlink(name.encode()) != 0)
def make_memory(name, size):
    fd = libc.shm_open(name.encode(), os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
    return answer(fd >= 0 and os.ftruncate(fd, int(size)) or 0, fd < 0)
def open_memory(name):
    fd = libc.shm_open(name.encode(), os.O_RDWR, 0)
    return answer(fd >= 0 and os.fstat(fd).st_size, fd < 0)
def unlink_memory(name): return answer(0, libc.shm_unlink(name.encode()) != 0)
def pause(): return sys.stdin.readline().strip()
def leave_child():
    if os.fork() == 0:
        os.close(1)
        os.read(0, 1)
        sys.exit(0)

os.umask(0)
for words in sys.argv[1:]:
    name, *arguments = words.split()
    print(globals()[name](*arguments), flush=True)
"""


def calls(*words):
    return [PYTHON, "-c", CALLS, *words]


def answers(result):
    assert result.returncode == 0, (result.returncode, result.stderr)
    return result.stdout.split()


def own_name(what):
    return f"/ipcell-test-{os.getpid()}-{what}"


def real(*words):
    """The calls without ipcell."""
    return answers(subprocess.run(calls(*words), stdout=subprocess.PIPE, text=True, check=False))


def names_in(cells, name):
    folder = os.path.join(cells.base, name, "posix")
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else None


def make_named(cells, *words, name="work"):
    return answers(cells.call("run", "--posix", "--name", name, "--", *calls(*words)))


def test_nothing_is_in_dev_shm(cells):
    if not os.access("/dev/shm", os.W_OK):
        raise cli_test.Skip("there is no /dev/shm to look at")
    lock, memory = own_name("lock"), own_name("memory")
    run = cells.start(
        "run", "--posix", "--", *calls(f"make_sem {lock} 3", f"make_memory {memory} 100", "pause", f"open_sem {lock}"),
        stdin=subprocess.PIPE)
    assert [run.stdout.readline() for _ in range(2)] == ["3\n", "0\n"]
    in_shm = [entry for entry in os.listdir("/dev/shm") if lock[1:] in entry or memory[1:] in entry]
    assert in_shm == [], in_shm
    assert real(f"open_sem {lock}", f"open_memory {memory}") == ["ENOENT", "ENOENT"]
    (cell,) = cells.entries()
    assert names_in(cells, cell) == sorted(["sem." + lock[1:], memory[1:]])
    assert run.communicate("go on\n", timeout=cli_test.PATIENCE)[0] == "go on\n3\n"
    assert run.returncode == 0 and cells.entries() == []


def test_only_on_request(cells):
    if not os.access("/dev/shm", os.W_OK):
        raise cli_test.Skip("there is no /dev/shm that libc could use")
    lock, memory = own_name("lock"), own_name("memory")
    words = (f"make_sem {lock} 3", f"make_memory {memory} 100")
    try:
        assert answers(cells.run(*calls(*words))) == ["3", "0"]
        assert real(f"open_sem {lock}", f"open_memory {memory}") == ["3", "100"]
    finally:
        assert answers(cells.run(*calls(f"unlink_sem {lock}", f"unlink_memory {memory}"))) == ["0", "0"]
    assert real(f"open_sem {lock}", f"open_memory {memory}") == ["ENOENT", "ENOENT"]


def test_both_kinds_in_one_process(cells):
    """What the library did not open is libc's to close."""
    script = """
import ctypes
libc = ctypes.CDLL(None)
real = ctypes.CDLL("libc.so.6")
for library in (libc, real):
    library.sem_open.restype = ctypes.c_void_p
    library.sem_close.argtypes = [ctypes.c_void_p]
name = b"NAME"
own, other = libc.sem_open(name, 0o100, 0o600, 1), real.sem_open(name, 0o100, 0o600, 1)
assert own and other and own != other
print(libc.sem_close(other), libc.sem_close(other), libc.sem_close(own), libc.sem_close(own), real.sem_unlink(name))
"""
    if not os.access("/dev/shm", os.W_OK):
        raise cli_test.Skip("there is no /dev/shm that libc could use")
    result = cells.call("run", "--posix", "--", PYTHON, "-c", script.replace("NAME", own_name("both")))
    assert answers(result) == ["0", "-1", "0", "-1", "0"], result


def test_names_are_each_cells_own(cells):
    assert make_named(cells, "make_sem /s 3", "make_memory /m 10", name="one") == ["3", "0"]
    assert make_named(cells, "open_sem /s", "open_memory /m", name="two") == ["ENOENT", "ENOENT"]
    assert make_named(cells, "make_sem /s 4", name="two") == ["4"]
    assert make_named(cells, "open_sem /s", "open_memory /m", name="one") == ["3", "10"]


def test_ls_counts_names(cells):
    make_named(cells, "make_sem /s 3", "make_sem /t 0", "make_memory /m 100000")
    before = cells.list()["work"]
    assert before["posix_names"] == 3, before
    assert [line.split()[-2] for line in cells.call("ls").stdout.splitlines()[1:]] == ["3"]
    with open(os.path.join(cells.base, "work", "posix", "m"), "wb") as file:
        file.write(b"x" * 100000)
    assert cells.list()["work"]["bytes"] >= before["bytes"] + 90000
    make_named(cells, "unlink_sem /s", "unlink_memory /m")
    assert cells.list()["work"]["posix_names"] == 1


def test_rm_removes_names(cells):
    make_named(cells, "make_sem /s 3", "make_memory /cell 10", "make_memory /posix 10")
    # What a process leaves that is killed in sem_open(3).
    draft = os.path.join(cells.base, "work", "cell.sem-4026531836-4711")
    with open(draft, "wb"):
        pass
    assert cells.list()["work"]["posix_names"] == 3
    assert make_named(cells, "open_memory /cell.sem-4026531836-4711") == ["ENOENT"]
    assert cells.call("rm", "work").returncode == 0
    assert cells.entries() == []


def test_rm_removes_names_and_nothing_else(cells):
    make_named(cells, "make_sem /s 3")
    os.mkdir(os.path.join(cells.base, "work", "posix", "diary"))
    expect_failure(cells.call("rm", "work"), 1, "not a cell's")
    assert names_in(cells, "work") == ["diary", "sem.s"]


def test_last_process_out_removes_names(cells):
    run = cells.start("run", "--posix", "--", *calls("make_sem /s 3", "leave_child"), stdin=subprocess.PIPE)
    assert run.stdout.read() == "3\nNone\n"
    assert run.wait(cli_test.PATIENCE) == 0
    (cell,) = cells.entries()
    assert names_in(cells, cell) == ["sem.s"]
    run.stdin.close()
    cli_test.wait_until(lambda: cells.entries() == [], "the child removes the cell")


def test_a_draft_of_a_killed_thread_is_replaced(cells):
    # Its name says which thread: the next of that number meets it.
    script = f"""
import os
folder = os.environ["IPCELL_DIR"] + "/" + os.environ["IPCELL_CELL"]
pid_namespace = os.stat("/proc/self/ns/pid").st_ino
open(f"{{folder}}/cell.sem-{{pid_namespace}}-{{os.getpid()}}", "w").write("half a")
{CALLS}
print(sorted(os.listdir(folder)) == ["cell", "posix", "runner"])
"""
    result = cells.call("run", "--posix", "--", PYTHON, "-c", script, "make_sem /s 3", "open_sem /s")
    assert answers(result) == ["3", "3", "True"], result


def test_names_do_not_outlive_a_reboot(cells):
    make_named(cells, "make_sem /s 3", "make_memory /m 10")
    with open(os.path.join(cells.base, "work", "cell"), "r+b") as file:
        file.seek(BOOT_ID)
        file.write(b"an earlier boot.")
    assert make_named(cells, "open_sem /s", "open_memory /m", "make_sem /s 1") == ["ENOENT", "ENOENT", "1"]


def test_environment(cells):
    # It names the run's own cell.
    ask = ("sh", "-c", '[ "$IPCELL_POSIX" = "$IPCELL_CELL" ] && echo 1 || echo ${IPCELL_POSIX-unset}')
    cells.environment.pop("IPCELL_POSIX", None)
    assert answers(cells.call("run", "--posix", "--", *ask)) == ["1"]
    if os.access("/dev/shm", os.W_OK):
        assert answers(cells.run(*ask)) == ["unset"]
    cells.environment["IPCELL_POSIX"] = "1"
    assert answers(cells.run(*ask)) == ["1"]
    assert answers(cells.run(*calls("make_sem /s 3"))) == ["3"]
    cells.environment["IPCELL_POSIX"] = "0"
    assert answers(cells.call("run", "--posix", "--", *ask)) == ["1"]


def test_shared_cell(cells):
    cli_test.needs_root()
    other = cli_test.as_user(OTHER_USER)
    python = "/usr/bin/python3"
    if not os.path.exists(python):
        raise cli_test.Skip(f"there is no {python}, which other users may run")
    shared = os.path.join(cells.top, "shared")
    os.chmod(cells.top, 0o755)
    os.mkdir(shared)
    os.chmod(shared, 0o1777)
    cells.environment["IPCELL_DIR"] = cells.base = shared
    run = ("run", "--posix", "--mode", "0666", "--name", "work", "--", python, "-c", CALLS)
    assert answers(cells.call(*run, "make_sem /s 3", "make_memory /m 10")) == ["3", "0"]
    assert stat.S_IMODE(os.stat(os.path.join(shared, "work", "posix")).st_mode) == 0o1777
    words = ("open_sem /s", "open_memory /m", "make_sem /own 1", "make_sem /s 1", "unlink_sem /s", "unlink_memory /m")
    assert answers(cells.call(*run, *words, **other)) == ["3", "10", "1", "EEXIST", "EACCES", "EACCES"]
    assert os.stat(os.path.join(shared, "work", "posix", "sem.own")).st_uid == OTHER_USER
    assert cells.call("rm", "work").returncode == 0
    assert cells.entries() == []


cli_test.main()

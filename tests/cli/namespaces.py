"""IPC namespaces that programs make in a cell: each goes with its last process, however that ends,
and nothing of it stays."""

import os
import signal
import subprocess

import cli_test
from cli_test import as_user, is_gone, needs_root, wait_until

# What is in the folder of cells beside the run's own, as a program in the run sees it.
LISTING = 'ls "$IPCELL_DIR" | grep -v "^$IPCELL_CELL\\$"'
MAKE = "ipcmk -Q >/dev/null; ipcmk -M 1000000 >/dev/null; ipcmk -S 5 >/dev/null"


def lines_of(cells, script, shell="sh"):
    result = cells.run(shell, "-c", script)
    assert all("Killed" in line for line in result.stderr.splitlines()), result.stderr
    return result.stdout.split("\n")[:-1]


def test_it_goes_with_its_last_process(cells):
    # By return, by _exit (as shells end), by a signal, and of several processes.
    for end in ("true", "sh -c true", "sh -c 'kill -9 $$'", "sh -c 'sleep 0.1 & kill -9 $$'",
                "perl -e 'fork; fork; use POSIX; POSIX::_exit(0)'"):
        script = f"""
            unshare -i sh -c "{MAKE}; ls \\$IPCELL_DIR/\\$IPCELL_CELL; exec {end.replace('$', chr(92) + '$')}"
            sleep 0.2
            ipcs -q >/dev/null
            unshare -i true
            {LISTING}"""
        if end == "true":
            script = script.replace("exec ", "")
        got = lines_of(cells, script)
        assert got[0] == "cell" and "ns" in got and len(got) == 2, (end, got)
        assert cells.entries() == [], end


def test_a_killed_one_is_cleaned_up_by_its_parent(cells):
    script = f"""unshare -i sh -c '{MAKE}; kill -9 $$'; {LISTING}; echo end"""
    for shell in ("sh", "bash"):
        assert lines_of(cells, script, shell) == ["end"], shell
        assert cells.entries() == []


def test_a_hundred_at_once(cells):
    script = f"""
        for n in $(seq 100); do
          unshare -i sh -c 'ipcmk -Q >/dev/null; exec sleep 1000' &
        done
        while [ $({LISTING} | grep -vc '^\\.') -lt 100 ]; do sleep 0.05; done
        readlink /proc/*/ns/ipc | sort -u | wc -l
        kill -9 $(jobs -p); wait
        unshare -i true
        {LISTING} | wc -l"""
    result = cells.run("bash", "-c", script)
    distinct, left = result.stdout.split()
    assert int(distinct) >= 101 and int(left) == 0, result.stdout
    assert cells.entries() == []


def test_one_that_outlives_the_run(cells):
    script = "unshare -i sleep 1000 </dev/null >/dev/null 2>&1 & echo $!"
    pid = int(cells.run("sh", "-c", script).stdout)
    try:
        wait_until(lambda: list(cells.list()) == [name for name in cells.list() if name.startswith("ns-")],
                   "the run's own cell is gone")
        (cell,) = cells.list().values()
        assert cell["processes"] == [pid] and cell["namespace"], cell
        assert cells.run("true").returncode == 0
        assert list(cells.list().values()) == [dict(cell, age_seconds=list(cells.list().values())[0]["age_seconds"])]
    finally:
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: is_gone(pid), "the process is gone")
    assert cells.list() == {}
    assert cells.entries() == []


def test_an_open_file_keeps_it(cells):
    script = """
import ctypes, os, subprocess
libc = ctypes.CDLL(None)
def listing():
    return sorted(set(os.listdir(os.environ["IPCELL_DIR"])) - {os.environ["IPCELL_CELL"]})
def sweep():
    subprocess.run(["unshare", "-i", "true"], check=True)
ready, told = os.pipe()
child = os.fork()
if child == 0:
    libc.unshare(0x08000000)
    queue = libc.msgget(77, 0o1600)
    os.write(told, b"x")
    os.read(0, 1)
os.read(ready, 1)
kept = os.open(f"/proc/{child}/ns/ipc", os.O_RDONLY)
copy = os.dup(kept)
os.close(kept)
os.kill(child, 9)
os.wait()
sweep()
print(len(listing()))
print(libc.msgget(77, 0), libc.setns(copy, 0), libc.msgget(77, 0))
os.close(copy)
sweep()
print(len(listing()))
libc.unshare(0x08000000)
sweep()
print(len(listing()))
"""
    reader, writer = os.pipe()
    result = cells.run("python3", "-c", script, stdin=reader)
    os.close(reader)
    os.close(writer)
    assert result.stdout.split("\n") == ["1", "-1 0 0", "1", "1", ""], (result.stdout, result.stderr)
    assert cells.entries() == []


def test_names_of_posix_are_no_part_of_it(cells):
    script = """
import _posixshmem, os, sys
if len(sys.argv) > 1:
    os.close(_posixshmem.shm_open("/shared", os.O_RDWR, mode=0o600))
    print("found")
else:
    os.close(_posixshmem.shm_open("/shared", os.O_RDWR | os.O_CREAT, mode=0o600))
    os.execvp("unshare", ["unshare", "-i", "python3", "-c", open("/proc/self/cmdline").read().split("\\0")[2], "again"])
"""
    result = cells.call("run", "--posix", "--", "python3", "-c", script)
    assert result.stdout == "found\n", (result.stdout, result.stderr)


def test_listing_tells_the_number(cells):
    run = cells.start("run", "--", "sh", "-c",
                      "readlink /proc/self/ns/ipc; exec unshare -i sh -c 'readlink /proc/self/ns/ipc; read x'",
                      stdin=subprocess.PIPE)
    numbers = [int(run.stdout.readline().strip()[5:-1]) for _ in range(2)]
    listed = {cell["ipc_namespace"]: cell for cell in cells.list().values()}
    assert sorted(listed) == sorted(numbers)
    assert not listed[numbers[0]]["namespace"] and listed[numbers[1]]["namespace"]
    assert "IPC namespace" in cells.call("ls").stdout
    run.stdin.close()
    run.wait()


def test_without_privileges(cells):
    needs_root()
    options = as_user(65534)
    os.chown(cells.base, 65534, 65534)
    os.chmod(cells.top, 0o755)
    script = "/usr/bin/unshare -i sh -c 'ipcmk -Q; ipcs -q | grep -c nobody'; ipcs -q | grep -c nobody"
    result = cells.run("sh", "-c", script, **options)
    assert result.stdout == "Message queue id: 0\n1\n0\n", (result.stdout, result.stderr)
    assert cells.entries() == []


def test_a_full_folder(cells):
    needs_root()
    cells.call("rm", "--all")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "none", cells.base], check=False)
    if mounted.returncode != 0:
        raise cli_test.Skip("no tmpfs can be mounted here")
    try:
        script = """i=0; while unshare -i sleep 1000 & sleep 0.05; kill -0 $! 2>/dev/null && [ $i -lt 60 ]; do i=$((i+1)); done
            kill $(jobs -p) 2>/dev/null; wait; echo end"""
        result = cells.run("bash", "-c", script)
        assert result.stdout == "end\n"
        assert "No space left on device" in result.stderr and "full" in result.stderr, result.stderr
        assert [name for name in cells.entries() if not name.startswith("run-")] == []
    finally:
        subprocess.run(["umount", cells.base], check=False)


if __name__ == "__main__":
    cli_test.main()

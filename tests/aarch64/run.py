"""Builds the core, the library and the unit tests for aarch64, and runs them under qemu-user, with some of
the conformance programs.

    run.py BUILD-FOLDER PROGRAM...
"""

import concurrent.futures
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CROSS_FILE = os.path.join(ROOT, "scripts", "aarch64.ini")
TOOLS = ["aarch64-linux-gnu-gcc", "aarch64-linux-gnu-g++", "qemu-aarch64", "meson", "ninja"]
SYSTEM = "/usr/aarch64-linux-gnu"
# The emulator keeps a table of each page that a program maps.
MOST_MEMORY = 6 << 30
MOST_SECONDS = 60
JOBS = 2

# What an emulator of system calls does not do, and the cases of tests/unit that need it.
NOT_EMULATED = {
    "robust futexes: get_robust_list(2) is ENOSYS, and no death marks what a thread held": [
        "[liveness]", "[undo_death]", "[fault_death]",
        "a dead task's long journal is rolled back, and its blocks are freed",
        "a dead thread's lock is recovered and its work taken back",
        "a lock that was only about to be taken stays its owner's",
        "scribbled locks are refused",
        "the dead are reaped once each, with the reap lock held",
        "an operation's end reaps the dead task that it met",
        "a reaped task's blocks go back to the heap, its unfinished work is undone",
        "the table stays short however many threads come and go",
        "threads that come and go at once all find a slot",
        "a killed receiver takes no message",
        "a removal whose remover died is finished",
        "a dead task's blocks are freed, wherever they are named",
        "waiters are counted by what they wait for",
        "a set whose remover died goes all the same",
        "a dead task leaves no array, journal or operations",
        "when its witness is reaped a record gets another of the process's tasks",
        "a process whose tasks have ended is asked for itself",
        "a task that joins its process is the witness of what has none",
        "the dead are passed over and reaped",
        "another process's registration ends with it",
        "a thread waits to be told",
        "a poller's death gives back its watching",
        "whoever looks detaches the dead, once",
        "a removed segment goes with the last of the dead",
        "the segments of the dead stand in nobody's way",
        "shm_rmid_forced removes what has lost its maker",
        "parent and child name the child's record, whoever comes first",
        "a child that the library did not see counts what it has",
        "what was made for a child outlives the parent as long as there may be a child",
        "who can't look for a child buries none",
    ],
    "madvise(2): it says yes to all, and does not make room nor give memory back": [
        "[room]",
        "a segment has no memory before it is touched, and none when it is gone",
        "pages that can't be given back are another's to give",
    ],
    "mappings: a wrong place in one is no fault that a handler could see": [
        "a spoiled record leads to no other memory",
    ],
    "clone(2) with CLONE_VM alone: the child has memory of its own": ["memory that is lent outlives its process"],
    "/proc: it shows the emulator's threads as well": ["threads are counted"],
    "setrlimit(2): RLIMIT_AS is taken and forgotten": ["a lack of address space is told"],
    "time: thousands of new processes, each with the emulator's own start": [
        "processes that replace an earlier boot's cell at once share the new one",
    ],
}


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def build(folder):
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing or not os.path.isdir(SYSTEM):
        skip(f"needs {', '.join(missing) or SYSTEM}: scripts/setup --tests installs g++-aarch64-linux-gnu and qemu-user")
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        subprocess.run(["meson", "setup", folder, ROOT, "--cross-file", CROSS_FILE, "-Doptimization=1", "-Ddebug=false"],
                       check=True)
    subprocess.run(["ninja", "-C", folder, "-j", str(JOBS)], check=True)


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def emulate(arguments, variables=()):
    """Exit status and output. What the program leaves behind is ended with it."""
    command = ["qemu-aarch64", "-L", SYSTEM]
    for variable in variables:
        command += ["-E", variable]
    with tempfile.TemporaryFile() as output, subprocess.Popen(
            command + arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=limit_memory) as process:
        try:
            status = process.wait(MOST_SECONDS)
        except subprocess.TimeoutExpired:
            status = "no end"
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        output.seek(0)
        return status, output.read().decode(errors="replace")


def run_unit(program, tag):
    excluded = [name for names in NOT_EMULATED.values() for name in names]
    if f"[{tag}]" in excluded:
        return None
    left_out = "".join("~\"" + name.replace(",", "\\,") + "\"" for name in excluded if not name.startswith("["))
    return emulate([program, f"[{tag}]{left_out}"])


def run_program(folder, name):
    """In a cell of its own: one that was made shows that the kernel was not asked."""
    with tempfile.TemporaryDirectory() as cells:
        status, output = emulate(
            [os.path.join(folder, "tests", "aarch64", name)],
            [f"LD_PRELOAD={os.path.join(folder, 'interpose', 'libipcell.so')}", f"IPCELL_DIR={cells}"])
        if status == 0 and not os.listdir(cells):
            return 1, "no cell was made"
        return status, output


def tags(program):
    _, output = emulate([program, "--list-tags"])
    return [line.split("[")[1].rstrip("]") for line in output.splitlines() if "[" in line and "]" in line]


def main():
    folder, programs = sys.argv[1], sys.argv[2:]
    build(folder)
    unit = os.path.join(folder, "tests", "unit", "unit_tests")
    failed, passed, left_out = [], 0, 0
    checks = subprocess.run(["meson", "test", "-C", folder, "--no-rebuild", "core_symbols", "exports"], check=False)
    if checks.returncode != 0:
        failed.append("core_symbols, exports")
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        runs = {}
        if os.path.exists(unit):
            runs = {f"unit-{tag}": pool.submit(run_unit, unit, tag) for tag in tags(unit)}
        runs.update({name: pool.submit(run_program, folder, name) for name in programs})
        for name, run in runs.items():
            result = run.result()
            if result is None:
                left_out += 1
                continue
            status, output = result
            if status in (0, 77):
                passed += 1
            else:
                failed.append(name)
                print(f"--- {name}: {status}\n{output[-4000:]}")
    for reason, names in NOT_EMULATED.items():
        print(f"not emulated, {len(names)} left out: {reason}")
    print(f"{passed} passed, {len(failed)} failed: {' '.join(failed)}")
    sys.exit(1 if failed or passed == 0 else 0)


main()

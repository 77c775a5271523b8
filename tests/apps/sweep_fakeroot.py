"""A short sweep of fakeroot, whose daemon and library wait for each other when msgsnd has no memory.

docs/faults.md tells of it. That hang has to be found, with who waits for whom; no cell may be damaged, and
nothing may be left of any run. IPCELL names the command.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

PATIENCE = 100
SCRIPT = """cd "$(mktemp -d)"
touch file; chown 12:34 file; chmod 4755 file
stat -c '%u:%g %a' file
rm -r "$PWD"
"""


def processes_with(text):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if int(pid) != os.getpid() and text.encode() in file.read():
                    found.append(pid)
        except OSError:
            continue
    return found


def judge(result, report):
    """What is wrong with a sweep."""
    trials = report["trials"]
    hangs = [t for t in trials if t["class"] == "hang" and t["at"].startswith("msgsnd at faked-sysv")]
    yield "its status is %d" % result.returncode, result.returncode != 1
    yield "the budget was too small", not report["complete"]
    yield "the daemon's msgsnd was not found to hang", not hangs
    waits = [line for t in hangs for line in t["waits"]]
    yield "the daemon's sleep is not told", not any("(faked-sysv) sleeps in msgrcv" in line for line in waits)
    yield "the client's sleep is not told", not any("(sh) sleeps in msgrcv" in line for line in waits)
    yield "a run was broken", any(t["class"] == "broken" for t in trials)
    yield "a cell is damaged", "damaged" in result.stdout


def main():
    if shutil.which("fakeroot-sysv") is None:
        print("skipped: there is no fakeroot-sysv (scripts/setup --tests installs it)")
        sys.exit(77)
    # Somewhere else than other tests' cells.
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, IPCELL_DIR=os.path.join(folder, "cells"), TMPDIR=os.path.join(folder, "files"))
        for name in ("cells", "files"):
            os.mkdir(os.path.join(folder, name), 0o700)
        report = os.path.join(folder, "report.json")
        result = subprocess.run(
            [os.environ["IPCELL"], "sweep", "--effects", "ENOMEM,eintr", "--runs", "1", "--jobs", "2", "--timeout", "3s",
             "--budget", "60s", "--report", report, "--", "fakeroot-sysv", "sh", "-c", SCRIPT],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=PATIENCE, check=False)
        print(result.stdout)
        with open(report, encoding="utf-8") as file:
            faults = [what for what, is_so in judge(result, json.load(file)) if is_so]
        if cells := os.listdir(environment["IPCELL_DIR"]):
            faults.append(f"cells are left: {cells}")
        if processes := processes_with(folder):
            faults.append(f"processes are left: {processes}")
    for fault in faults:
        print("FAILED:", fault)
    sys.exit(bool(faults))


main()

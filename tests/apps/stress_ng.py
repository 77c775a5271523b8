"""stress-ng's stressors of System V IPC and POSIX message queues, with their own verification.

    stress_ng.py STRESSOR [OPTION...]     further options for stress-ng

msg sends numbered messages from one process to another as fast as it can, mq does so with priorities;
sem-sysv has processes take and give a semaphore, with and without time limits, and GETALL and the like
between; shm-sysv makes segments, attaches them to two processes, fills and checks them. The three of
System V call ...ctl and ...get with all sorts of arguments, and read /proc/sysvipc. IPCELL names the
command.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

PATIENCE = 90

# In the same cell afterwards: nothing may be left.
SCRIPT = 'stress-ng "$@"; status=$?; ipcs -q; ipcs -s; ipcs -m; exit $status'


def main():
    if shutil.which("stress-ng") is None:
        print("skipped: there is no stress-ng (scripts/setup --tests installs it)")
        sys.exit(77)
    stressor = sys.argv[1]
    stress = [f"--{stressor}", "4", "--verify", "-t", "5", "--metrics-brief", *sys.argv[2:]]
    with tempfile.TemporaryDirectory() as folder:  # stress-ng wants to write to its own
        result = subprocess.run(
            [os.environ["IPCELL"], "run", "--deny", "--", "sh", "-c", SCRIPT, "sh", *stress],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=PATIENCE, cwd=folder, check=False)
    print(result.stdout)
    metrics = re.search(rf"metrc: .* {stressor} +(\d+) ", result.stdout)
    objects = re.findall(r"^0x[0-9a-f]{8} .*$", result.stdout, re.MULTILINE)
    faults = {
        f"status {result.returncode}": result.returncode != 0,
        "it complains": re.search(r"\b(fail|error|skipp|warn)", result.stdout) is not None,
        "it did nothing": metrics is None or int(metrics[1]) == 0,
        f"objects left: {objects}": bool(objects),
        "ipcell complains": "ipcell:" in result.stdout,
    }
    for fault in (text for text, is_there in faults.items() if is_there):
        print("FAILED:", fault)
    sys.exit(any(faults.values()))


main()

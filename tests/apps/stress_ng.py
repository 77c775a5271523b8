"""stress-ng's message queue stressor, with its own verification of what arrives.

    stress_ng.py [OPTION...]     further options for stress-ng

It sends numbered messages from one process to another as fast as it can, calls msgctl and msgget with
all sorts of arguments, and reads /proc/sysvipc/msg. IPCELL names the command.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

PATIENCE = 90

# In the same cell afterwards: nothing may be left.
SCRIPT = 'stress-ng "$@"; status=$?; ipcs -q; exit $status'


def main():
    if shutil.which("stress-ng") is None:
        print("skipped: there is no stress-ng (scripts/setup --tests installs it)")
        sys.exit(77)
    stress = ["--msg", "4", "--verify", "-t", "5", "--metrics-brief", *sys.argv[1:]]
    with tempfile.TemporaryDirectory() as folder:  # stress-ng wants to write to its own
        result = subprocess.run(
            [os.environ["IPCELL"], "run", "--deny", "--", "sh", "-c", SCRIPT, "sh", *stress],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=PATIENCE, cwd=folder, check=False)
    print(result.stdout)
    metrics = re.search(r"metrc: .* msg +(\d+) ", result.stdout)
    queues = re.findall(r"^0x[0-9a-f]{8} .*$", result.stdout, re.MULTILINE)
    faults = {
        f"status {result.returncode}": result.returncode != 0,
        "it complains": re.search(r"\b(fail|error|skipp|warn)", result.stdout) is not None,
        "no messages were sent": metrics is None or int(metrics[1]) == 0,
        f"queues left: {queues}": bool(queues),
        "ipcell complains": "ipcell:" in result.stdout,
    }
    for fault in (text for text, is_there in faults.items() if is_there):
        print("FAILED:", fault)
    sys.exit(any(faults.values()))


main()

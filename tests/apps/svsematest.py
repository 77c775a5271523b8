"""rt-tests' svsematest: two threads or processes that hand two semaphores to each other, in pairs.

    svsematest.py [OPTION...]     options for svsematest; it makes 300 rounds

It measures latencies, which are of no interest here: it has to come through its rounds. IPCELL names
the command.
"""

import os
import re
import shutil
import subprocess
import sys

PATIENCE = 60
ROUNDS = 300

# In the same cell afterwards: nothing may be left.
SCRIPT = 'svsematest "$@"; status=$?; ipcs -s; exit $status'


def main():
    program = shutil.which("svsematest")
    if program is None:
        print("skipped: there is no svsematest (scripts/setup --tests installs it)")
        sys.exit(77)
    result = subprocess.run(
        [os.environ["IPCELL"], "run", "--deny", "--", "sh", "-c", SCRIPT, "sh",
         "-l", str(ROUNDS), *sys.argv[1:]],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=PATIENCE, check=False,
        env=dict(os.environ, _=program))  # It makes its key of this file; not every shell sets "_".
    # It shows its table again and again; the last counts.
    table = result.stdout.rpartition("#0:")[2]
    print("#0:" + table)
    rounds = [int(number) for number in re.findall(r"Cycles (\d+)", table)]
    latencies = re.findall(r"-> #\d+, Min +\d+", table)
    sets = re.findall(r"^0x[0-9a-f]{8} .*$", result.stdout, re.MULTILINE)
    # It ends when one pair has made its rounds.
    faults = {
        f"status {result.returncode}": result.returncode != 0,
        f"rounds of the pairs: {rounds}": not rounds or max(rounds) != ROUNDS or min(rounds) == 0,
        "a pair never met": len(latencies) != len(rounds),
        f"sets left: {sets}": bool(sets),
        "ipcell complains": "ipcell:" in result.stdout,
    }
    for fault in (text for text, is_there in faults.items() if is_there):
        print("FAILED:", fault)
    sys.exit(any(faults.values()))


main()

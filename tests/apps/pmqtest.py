"""rt-tests' pmqtest: pairs of threads that send each other POSIX messages, back and forth.

It measures latencies, which are of no interest here: it has to come through its rounds. IPCELL names
the command.
"""

import os
import re
import shutil
import subprocess
import sys

PATIENCE = 60
ROUNDS, PAIRS = 300, 3


def main():
    if shutil.which("pmqtest") is None:
        print("skipped: there is no pmqtest (scripts/setup --tests installs it)")
        sys.exit(77)
    result = subprocess.run(
        [os.environ["IPCELL"], "run", "--deny", "--", "pmqtest", "-q", "-l", str(ROUNDS), "-t", str(PAIRS)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=PATIENCE, check=False)
    print(result.stdout)
    rounds = [int(number) for number in re.findall(r"Cycles (\d+)", result.stdout)]
    latencies = re.findall(r"-> #\d+, Min +\d+", result.stdout)
    # It ends when one pair has made its rounds.
    faults = {
        f"status {result.returncode}": result.returncode != 0,
        f"rounds of the pairs: {rounds}": len(rounds) != PAIRS or max(rounds) != ROUNDS or min(rounds) == 0,
        "a pair never met": len(latencies) != PAIRS,
        "it complains": re.search(r"could not|fail|error", result.stdout) is not None,
        "ipcell complains": "ipcell:" in result.stdout,
    }
    for fault in (text for text, is_there in faults.items() if is_there):
        print("FAILED:", fault)
    sys.exit(any(faults.values()))


main()

"""Processes that move among namespaces, make objects, fork, exec and are killed at any time: what lives answers rightly,
nobody hangs, no cell is damaged meanwhile, and of those that are gone nothing stays behind a sweep.

NS_STORM_SECONDS is for how long, 6 by default; NS_STORM_SEED begins the sequence.
"""

import os
import subprocess

import cli_test
from cli_test import wait_until

STORM = os.environ["NS_STORM"]
SECONDS = os.environ.get("NS_STORM_SECONDS", "6")
SEED = os.environ.get("NS_STORM_SEED", "1")


def test_storm(cells):
    run = cells.start("run", "--", STORM, SECONDS, SEED, stderr=subprocess.PIPE)
    while run.poll() is None:
        # Which is a sweeper beside those that are swept, and says of a damaged one that it is.
        listing = cells.call("ls")
        assert listing.returncode == 0 and "damaged" not in listing.stdout, (listing.stdout, listing.stderr)
    output, errors = run.communicate()
    wrong = [line for line in errors.splitlines() if "too many" not in line]
    assert run.returncode == 0 and not wrong, (run.returncode, output, wrong[:20])
    wait_until(lambda: cells.list() == {} and cells.entries() == [], "nothing is left")


if __name__ == "__main__":
    cli_test.main()

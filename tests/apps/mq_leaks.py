"""Rounds of calls on POSIX message queues that end in unusual ways leave nothing in the cell.

    mq_leaks.py PROGRAM     mq_leaks, which sees to what is left in the process

After some rounds the cell has all the memory that it ever needs for them: a thousand more take none
to speak of, and all pipes are gone. IPCELL names the command.
"""

import json
import os
import subprocess
import sys
import tempfile

PATIENCE = 60
WAYS = ["thread", "restart", "eintr", "jump", "cancel", "kill"]
WARM_UP, ROUNDS = 300, 1000
CELL = "leaks"
CHUNK = 64 * 1024  # in which a cell takes its memory: 64 bytes a round are more


def ipcell(folder, *arguments):
    return subprocess.run(
        [os.environ["IPCELL"], *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        timeout=PATIENCE, check=False, env=dict(os.environ, IPCELL_DIR=folder))


def play(folder, program, rounds):
    for way in WAYS:
        result = ipcell(folder, "run", "--name", CELL, "--deny", "--", program, way, str(rounds))
        print(result.stdout, end="")
        if result.returncode != 0:
            sys.exit(f"FAILED: {way}: status {result.returncode}")


def look(folder):
    cell, = json.loads(ipcell(folder, "ls", "--json").stdout)
    pipes = os.path.join(folder, CELL, "mq")
    return cell["bytes"], cell["state"], len(os.listdir(pipes)) if os.path.isdir(pipes) else 0


def main():
    program, = sys.argv[1:]
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="ipcell-apps-", dir=memory) as folder:
        play(folder, program, WARM_UP)
        before = look(folder)
        play(folder, program, ROUNDS)
        after = look(folder)
        ipcell(folder, "rm", CELL)
    print("bytes, state and pipes:", before, after)
    faults = {
        "the cell has grown": after[0] > before[0] + CHUNK,
        "the cell is not well": after[1] != "ok",
        "pipes are left": after[2] != 0,
    }
    for fault in (text for text, is_there in faults.items() if is_there):
        print("FAILED:", fault)
    sys.exit(any(faults.values()))


main()

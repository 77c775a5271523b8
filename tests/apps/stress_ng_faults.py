"""stress-ng under rules of fault injection: whatever it makes of them, its cell stays whole.

All four families at once, with errors, interrupted sleeps, delays, removals under the sleepers' feet,
lowered limits, deaths before, in and behind calls, and calls that are dropped and doubled, as the seed
draws them. It may fail: its own verification meets objects that somebody removed. It must end, no process
of it may be left, and `ipcell check` must find the cell whole. IPCELL names the command.

    stress_ng_faults.py [SEED]
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile

PATIENCE = 60
TURNS = 6  # a stressor gives up at its first failure, and so is started again
STRESSORS = ["-t", "1", "--msg", "2", "--sem-sysv", "2", "--shm-sysv", "1", "--shm-sysv-ops", "300", "--mq", "2"]
RULES = [
    "*get|mq_open p=1%=err(ENOSPC)",
    "msgsnd|mq_send p=0.5%=err(ENOMEM)",
    "msgsnd|msgrcv|semop|semtimedop|mq_* p=0.2%=err(EIDRM)",
    "msgrcv|msgsnd|semop|semtimedop|mq_send|mq_receive|mq_timedsend|mq_timedreceive p=1%=eintr",
    "msgsnd|mq_send p=1%=full->delay(blocked,1ms)",
    "semop p=1%=busy",
    "semtimedop|mq_timedreceive|mq_timedsend p=1%=timeout",
    "msgrcv|semop p=0.02%=rmid(blocked)",
    "msgctl|semctl|shmctl p=0.1%=rmid(before)",
    "msgget p=0.1%=limit(msgmni=5)",
    "sysv.* p=0.002%=kill(before)",
    "msgrcv|semop|semtimedop p=0.05%=kill(blocked)",
    "*.* p=0.002%=kill(after)",
    "*.* p=0.1%=delay(exit,200us)",
    "*.* p=0.1%=yield",
    "msgsnd|mq_send p=0.01%=unsafe.dup",
    "msgsnd|mq_send p=0.01%=unsafe.drop",
    "msgrcv|mq_receive p=0.01%=unsafe.corrupt",
]


def end_all(name):
    """`ipcell ls` knows who is left."""
    listing = subprocess.run([os.environ["IPCELL"], "ls"], stdout=subprocess.PIPE, text=True, check=False)
    return next((line for line in listing.stdout.splitlines() if line.startswith(name)), "")


def main():
    if shutil.which("stress-ng") is None:
        print("skipped: there is no stress-ng (scripts/setup --tests installs it)")
        sys.exit(77)
    ipcell = os.environ["IPCELL"]
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(1 << 32)
    print("seed", seed)
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["IPCELL_DIR"] = os.path.join(folder, "cells")
        os.mkdir(os.environ["IPCELL_DIR"], 0o700)
        rules = [word for rule in RULES for word in ("--fault", rule.replace("*.*", "*"))]
        script = f'for turn in $(seq {TURNS}); do stress-ng "$@" 2>&1; done'
        command = ["timeout", "-k", "5", str(PATIENCE - 20), "sh", "-c", script, "sh", *STRESSORS]
        result = subprocess.run(
            [ipcell, "run", "--deny", "--name", "stressed", "--allow-illegal", "--seed", str(seed), *rules, "--", *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=PATIENCE, cwd=folder, check=False)
        print(result.stdout[-3000:])
        if result.returncode in (124, 137):
            faults.append("it did not end")
        if "damaged" in result.stdout:
            faults.append("its cell is damaged")
        if result.stdout.count("never fired") > len(RULES) * 3 // 4:
            faults.append("most rules never fired")
        whole = subprocess.run([ipcell, "check", "stressed"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, timeout=PATIENCE, check=False)
        print(whole.stdout)
        if whole.returncode != 0:
            faults.append("ipcell check: " + whole.stdout + end_all("stressed"))
        # It works for whoever comes next.
        after = subprocess.run([ipcell, "run", "--name", "stressed", "--", "ipcmk", "-Q"], check=False,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE)
        if after.returncode != 0 and "No space" not in after.stdout:
            faults.append("the cell cannot be used: " + after.stdout)
        subprocess.run([ipcell, "rm", "--force", "stressed"], check=False)
    for fault in faults:
        print("FAILED:", fault)
    sys.exit(bool(faults))


main()

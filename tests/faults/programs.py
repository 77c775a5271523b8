"""Programs with one seeded bug each: `ipcell sweep` finds it, at the call that it is in, and says
nothing bad of the fixed program.

    programs.py NAME BUGGY FIXED
"""

import json
import os
import subprocess
import sys
import tempfile

IPCELL = os.environ["IPCELL"]

# What is to be found, at which call, by which fault; and options of the sweep, where not all that
# can happen is tried: what hangs takes its time, and of a program that waits for a child nobody
# expects that it survives whatever befalls that one.
PROGRAMS = {
    "child_dies": ("hang", "msgsnd", "err(ENOMEM)", ("--effects", "errors")),
    "child_fails_leak": ("leak", "msgsnd", "err(ENOMEM)", ()),
    "child_status_ignored": ("silent wrong", "semop", "err(ENOMEM)", ()),
    "creator_killed": ("hang", "semget", "kill(after)", ("--effects", "kill")),
    "enospc_forever": ("hang", "msgget", "err(ENOSPC)", ()),
    "exit_zero": ("silent wrong", "shmget", "err(ENOMEM)", ()),
    "holder_killed": ("hang", "semop", "kill(after)", ()),
    "job_lost": ("silent wrong", "msgrcv", "kill(after)", ()),
    "mq_leaks_on_timeout": ("leak", "mq_timedreceive", "timeout", ()),
    "mq_notify_ignored": ("hang", "mq_notify", "err(EBUSY)", ("--effects", "EBUSY,full,rmid,delay")),
    "mq_open_exists": ("silent wrong", "mq_open", "err(EEXIST)", ()),
    "mq_receive_interrupted": ("silent wrong", "mq_receive", "eintr", ("--effects", "eintr")),
    "mq_send_dropped": ("silent wrong", "mq_send", "full", ()),
    "mq_timedreceive_stale": ("silent wrong", "mq_timedreceive", "timeout", ()),
    "msgget_unchecked": ("silent wrong", "msgget", "err(ENOSPC)", ()),
    "msgrcv_interrupted": ("silent wrong", "msgrcv", "eintr", ("--effects", "eintr")),
    "msgsnd_dropped": ("silent wrong", "msgsnd", "full", ()),
    "queue_leaks_on_error": ("leak", "shmget", "err(ENOSPC)", ()),
    "removed_busy_loop": ("hang", "msgrcv", "rmid", ("--effects", "rmid")),
    "retry_leaks": ("leak", "shmat", "err(ENOMEM)", ()),
    # All three come from one place: it is the third that has to fail.
    "segments_leak": ("leak", "shmget", "err(ENOMEM)", ("--by", "call")),
    "semget_unchecked": ("silent wrong", "semget", "err(ENOSPC)", ()),
    "semop_interrupted": ("silent wrong", "semop", "eintr", ("--effects", "eintr")),
    "set_leaks_on_error": ("leak", "mq_open", "err(EMFILE)", ()),
    "setall_ignored": ("hang", "semctl SETALL", "err(ENOMEM)", ()),
    "shmat_null": ("crash", "shmat", "err(ENOMEM)", ()),
    "shmat_unchecked": ("crash", "shmat", "err(ENOMEM)", ()),
    "timeout_taken_for_done": ("silent wrong", "semtimedop", "timeout", ()),
    "two_semops": ("hang", "semop", "busy", ("--effects", "full,eintr")),
}


def sweep(program, options):
    """Its exit status, and its report."""
    command = [IPCELL, "sweep", "--json", "--timeout", "2s", *options, "--", program]
    result = subprocess.run(command, stdout=subprocess.PIPE, timeout=200, check=False)
    assert result.returncode in (0, 1), result
    return result.returncode, json.loads(result.stdout)


def findings(report):
    return [(trial["class"], report["sites"][trial["site"]]["call"], trial["effect"], trial["lasts"], trial["detail"])
            for trial in report["trials"] if trial.get("finding")]


def main():
    name, buggy, fixed = sys.argv[1:]
    what, call, effect, options = PROGRAMS[name]
    status, report = sweep(buggy, options)
    found = findings(report)
    print(f"{name}: {len(report['trials'])} faults tried in {report['seconds']:.1f} s, {len(found)} findings")
    for finding in found:
        print("   ", *finding)
    assert status == 1 and report["complete"]
    assert any(one[:2] == (what, call) and effect in one[2] for one in found), f"no {what} at {call} by {effect}"
    status, report = sweep(fixed, options)
    found = findings(report)
    print(f"fixed: {len(report['trials'])} faults tried in {report['seconds']:.1f} s")
    assert (status, found) == (0, []), found


if os.environ.get("SANITIZED", "none") != "none":
    print("a sanitizer's run time wants to be loaded first, and takes its time")
    sys.exit(77)
with tempfile.TemporaryDirectory(prefix="ipcell-test-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as cells:
    os.environ["IPCELL_DIR"] = cells
    main()

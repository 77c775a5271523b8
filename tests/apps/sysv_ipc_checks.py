# What the scenarios with Debian's python3-sysv-ipc share: its import, and what they print.
import os
import sys
import time

try:
    import sysv_ipc
except ImportError:
    print("skipped: there is no module sysv_ipc (Debian's package python3-sysv-ipc has it)")
    sys.exit(77)


def show(what, value):
    print(f"{what}: {value}", flush=True)


def outcome(call, *arguments, **options):
    """What the call returned, or the name of what it raised."""
    try:
        return call(*arguments, **options)
    except (sysv_ipc.Error, MemoryError, ValueError, OSError) as error:
        return type(error).__name__


def pid_name(pid):
    return {0: "none", os.getpid(): "own"}.get(pid, "another's")


def time_name(seconds):
    return "never" if seconds == 0 else "now" if abs(time.time() - seconds) < 30 else seconds

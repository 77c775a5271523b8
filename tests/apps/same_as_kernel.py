#!/usr/bin/env python3
"""Runs a program on the real kernel, in a fresh IPC namespace, and in a fresh cell with the kernel's
own IPC denied. Both must print the same and end the same way.

    same_as_kernel.py PROGRAM [ARGUMENT...]

What may differ is made alike first: dates become TIME, and runs of blanks become one (the tables'
columns follow the width of pids). A script says on lines of its own what else holds for it:

    # needs: PROGRAM...     the programs without which it cannot run: exit status 77
    # random keys           keys become KEY1, KEY2, ... in the order in which they appear
    # not as root           nobody runs it, if root runs this

IPCELL names the command. Exit status 0, 1, or 77: a program or the kernel to compare with is missing.
"""

import contextlib
import difflib
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile

PATIENCE = 50  # seconds for one run
SKIPPED = 77

DATES = re.compile(
    r"(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} +\d{1,2} +\d{1,2}:\d\d:\d\d(?: \d{4})?"  # Sat Nov 21 06:59:21 2026
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*")
KEYS = re.compile(r"\b0x(?!0{8}\b)[0-9a-f]{8}\b")


def skip(reason):
    print("skipped:", reason)
    sys.exit(SKIPPED)


def annotations(program):
    """What a script says of itself; nothing for a binary."""
    with open(program, "rb") as file:
        start = file.read(4096)
    if not start.startswith(b"#!"):
        return [], set()
    lines = start.decode("utf-8", "replace").splitlines()
    needs = [word for line in lines if line.startswith("# needs: ") for word in line.split()[2:]]
    return needs, {line[2:] for line in lines if line in ("# random keys", "# not as root")}


@contextlib.contextmanager
def other_user(program):
    """A wrapper that runs a command as nobody, with a folder of cells."""
    user = pwd.getpwnam("nobody")
    wrapper = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]
    files = [os.environ["IPCELL"], program]
    if any(subprocess.run(wrapper + ["test", "-x", file], check=False).returncode != 0 for file in files):
        skip(f"nobody cannot run {' and '.join(files)}")
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="ipcell-apps-", dir=where) as folder:
        os.chown(folder, user.pw_uid, user.pw_gid)
        yield wrapper + ["env", f"IPCELL_DIR={folder}"]


def has_kernel():
    probe = subprocess.run(["unshare", "--ipc", "true"], stderr=subprocess.DEVNULL, check=False)
    return probe.returncode == 0


def run(wrapper, command):
    """The status and what was printed, as the program mixes it on its two outputs."""
    process = subprocess.Popen(
        wrapper + command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True, text=True, errors="replace",
        env=dict(os.environ, LC_ALL="C", TZ="UTC"))
    try:
        output, _ = process.communicate(timeout=PATIENCE)
        # The command says 128+N for a signal, as shells do.
        status = process.returncode
        return 128 - status if status < 0 else status, output
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return "timeout", output


def normalised(output, has_random_keys):
    text = DATES.sub("TIME", output)
    if has_random_keys:
        names = {}
        text = KEYS.sub(lambda match: names.setdefault(match[0], f"KEY{len(names) + 1}"), text)
    return [re.sub(r" +", " ", line).rstrip() for line in text.splitlines()]


def compare(command, user, has_random_keys):
    """Ends this program. What is run goes through the wrapper `user`."""
    status, output = run(user + [os.environ["IPCELL"], "run", "--deny", "--"], command)
    if not has_kernel():
        print(output)
        if status != 0:
            print(f"FAILED in the cell: status {status}")
            sys.exit(SKIPPED if status == SKIPPED else 1)
        skip("passed in a cell, but there is no kernel to compare with: no fresh IPC namespace here "
             "(needs CAP_SYS_ADMIN and CONFIG_IPC_NS)")

    kernel_status, kernel_output = run(["unshare", "--ipc", "--"] + user, command)
    if SKIPPED in (status, kernel_status):
        print(kernel_output)
        skip("the program says that it cannot run here")
    kernel_lines = normalised(kernel_output, has_random_keys) + [f"(status {kernel_status})"]
    lines = normalised(output, has_random_keys) + [f"(status {status})"]
    print("\n".join(kernel_lines))
    if kernel_status != 0:
        print(f"FAILED: status {kernel_status} on the kernel, so the test itself is wrong here")
    difference = list(difflib.unified_diff(kernel_lines, lines, "kernel", "cell", lineterm=""))
    print("\n".join(difference or ["same in the cell"]))
    sys.exit(1 if difference or kernel_status != 0 else 0)


def main():
    command = [os.path.abspath(sys.argv[1])] + sys.argv[2:]
    needs, facts = annotations(command[0])
    missing = [name for name in needs + ["unshare"] if shutil.which(name) is None]
    if missing:
        skip(f"not installed: {' '.join(missing)} (scripts/setup --tests installs what is needed)")

    with contextlib.ExitStack() as stack:
        is_for_nobody = "not as root" in facts and os.geteuid() == 0
        user = stack.enter_context(other_user(command[0])) if is_for_nobody else []
        compare(command, user, "random keys" in facts)


main()

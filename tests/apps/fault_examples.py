"""examples/faults, run as their users would: with meson, cmake and ctest, pytest, or a shell.

    fault_examples.py meson|cmake|pytest|shell

IPCELL names the command.
"""

import os
import shutil
import subprocess
import sys
import tempfile

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "faults")
PATIENCE = 100
COMPILE = "cc -Wall -Wextra -Werror -o worker worker.c"
WAYS = {
    "meson": ["meson setup build", "meson test -C build"],
    "cmake": ["cmake -B build", "cmake --build build", "ctest --test-dir build --output-on-failure"],
    "pytest": [COMPILE, "pytest-3 -q -p no:cacheprovider test_faults.py"],
    "shell": [COMPILE, "./sweep.sh ./worker"],
}


def needs(*programs):
    for program in programs:
        if shutil.which(program) is None:
            print(f"skipped: there is no {program} (scripts/setup --tests installs it)")
            sys.exit(77)


def main():
    way = sys.argv[1]
    needs("cc", *(command.split()[0] for command in WAYS[way] if not command.startswith("./")))
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "faults")
        shutil.copytree(EXAMPLES, copy)
        environment = dict(os.environ, IPCELL_DIR=os.path.join(folder, "cells"))
        environment["PATH"] = os.path.dirname(os.environ["IPCELL"]) + ":" + environment["PATH"]
        os.mkdir(environment["IPCELL_DIR"], 0o700)
        # What this build of ipcell sets for itself is not meant for the example's.
        for name in ("DESTDIR", "MESONINTROSPECT", "MESON_TEST_ITERATION", "NINJA_STATUS"):
            environment.pop(name, None)
        for command in WAYS[way]:
            print("$", command, flush=True)
            subprocess.run(command.split(), cwd=copy, env=environment, stdin=subprocess.DEVNULL, timeout=PATIENCE, check=True)
        left = os.listdir(environment["IPCELL_DIR"])
    if left:
        print("FAILED: left behind:", left)
    sys.exit(bool(left))


main()

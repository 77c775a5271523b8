#!/usr/bin/env python3
"""Runs ipc_sequence on the kernel and in a cell, and compares the logs to the bit.

    compare.py --sequence build/ipc_sequence --cell-command 'build/ipcell run --deny --'
    compare.py --sequence build/ipc_sequence -- build/ipcell run --deny --
    compare.py --sequence build/ipc_sequence --self            # kernel against kernel

Exit status: 0 the same, 1 a difference or a failure, 2 usage, 77 no kernel IPC to compare with.
"""

import argparse
import collections
import ctypes
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

SKIP = 77
BEFORE = 15  # lines of context before a difference
AFTER = 15  # and after it, from each side
# Options that are ipc_sequence's own.
FLAGS = ("no-syscall", "no-personas", "own-ids", "one-sleeper", "unprivileged", "wake-order",
         "audit")


class Failed(Exception):
    """A run that did not end as it should."""


def parse_arguments():
    arguments = sys.argv[1:]
    command = []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, command = arguments[:at], arguments[at + 1 :]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sequence", required=True, help="the program ipc_sequence")
    parser.add_argument("--cell-command", type=shlex.split, default=command,
                        help="what runs a program in a cell; also after --")
    parser.add_argument("--self", action="store_true", help="compare the kernel with itself")
    parser.add_argument("--self-settle", action="store_true",
                        help="compare the kernel's two schedules: SCHED_FIFO and settling")
    parser.add_argument("--ops", type=int, default=100000, help="steps in all")
    parser.add_argument("--runs", type=int, default=10, help="runs to divide them among")
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the next has +1")
    parser.add_argument("--workers", type=int, default=0,
                        help="by default 4 to 10, which the seed decides")
    parser.add_argument("--families", default="msg")
    parser.add_argument("--schedule", choices=["auto", "fifo", "settle"], default="auto")
    parser.add_argument("--one-sleeper", action="store_true", help="at most one an object")
    parser.add_argument("--no-syscall", action="store_true", help="only libc's own functions")
    parser.add_argument("--no-personas", action="store_true", help="no calls as other users")
    parser.add_argument("--own-ids", action="store_true",
                        help="give objects to no other user; without root this is implied")
    parser.add_argument("--unprivileged", action="store_true", help="drop all capabilities")
    parser.add_argument("--wake-order", action="store_true",
                        help="compare also the order in which calls woken by one step end")
    parser.add_argument("--audit", action="store_true",
                        help="check before each step that the workers are quiet; slow")
    parser.add_argument("--timeout", type=float, default=120, help="seconds for one run")
    parser.add_argument("--keep", metavar="FOLDER", help="leave the logs there")
    parser.add_argument("--quiet", action="store_true", help="no statistics")
    options = parser.parse_args(arguments)
    if options.self + options.self_settle + bool(options.cell_command) != 1:
        parser.error("give exactly one of --cell-command, --self, --self-settle")
    if options.ops < 1 or options.runs < 1:
        parser.error("--ops and --runs must be positive")
    return options


def probe(options):
    """Asks ipc_sequence what this machine permits, and settles what is left open."""
    answer = subprocess.run([options.sequence, "--probe"], stdout=subprocess.PIPE, text=True)
    if answer.returncode == SKIP:
        print("skipped: this machine has no kernel IPC to compare with, or no right to unshare it")
        sys.exit(SKIP)
    if answer.returncode != 0:
        raise Failed("ipc_sequence --probe failed")
    schedule, privilege = answer.stdout.split()
    if options.schedule == "auto":
        options.schedule = schedule
    if privilege == "unprivileged":
        options.unprivileged = options.own_ids = True
    if options.unprivileged:
        print("note: unprivileged; no calls as other users")
    if options.schedule == "settle":
        print("note: without SCHED_FIFO; slower, and at most one sleeper an object")


def sequence_command(options, seed, ops, log, schedule):
    command = [options.sequence, "--seed", str(seed), "--ops", str(ops), "--log", log]
    workers = options.workers or 4 + seed % 7
    command += ["--workers", str(workers), "--families", options.families]
    command += ["--schedule", schedule]
    for flag in FLAGS:
        if getattr(options, flag.replace("-", "_")):
            command.append("--" + flag)
    return command


def leave_kernel_namespace():
    """In the child that becomes a cell: what escapes from the cell must not reach the machine's own
    objects and sysctls. Best effort; that nothing escapes is for the cell command to prove."""
    clone_newipc = 0x08000000
    ctypes.CDLL(None).unshare(clone_newipc)


def run(command, timeout, environment=None, prepare=None):
    """Returns the exit status, or a sentence about a run that did not end."""
    process = subprocess.Popen(command, env=environment, start_new_session=True,
                               preexec_fn=prepare)
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        # First politely: ipc_sequence then writes its log and says where it was.
        for number in (signal.SIGTERM, signal.SIGKILL):
            os.killpg(process.pid, number)
            try:
                process.wait(5)
                break
            except subprocess.TimeoutExpired:
                pass
        return f"no end after {timeout:g} seconds"
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise


def run_in_cell(command, timeout):
    """As run(), in a cell that nothing has used before and that nothing is left of."""
    memory = "/dev/shm"
    folder = tempfile.mkdtemp(prefix="ipcell-differential-",
                              dir=memory if os.path.isdir(memory) else None)
    try:
        return run(command, timeout, dict(os.environ, IPCELL_DIR=folder),
                   leave_kernel_namespace)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def read_lines(path):
    try:
        with open(path, encoding="utf-8", errors="backslashreplace") as log:
            return log.read().split("\n")
    except FileNotFoundError:
        return []


def sleepers(lines):
    """Who sleeps in what after these lines of a log."""
    asleep = {}
    for line in lines:
        went = re.match(r"\d+ (W\d+) .* sleeps$", line)
        ended = re.match(r"\d+ (W\d+) wakes from ", line) or re.match(r"\d+ kill (W\d+)", line)
        if went:
            asleep[went[1]] = line
        elif ended:
            asleep.pop(ended[1], None)
    return list(asleep.values())


def report_difference(options, seed, names, logs, commands):
    """Prints the first difference of two logs. False if there is none."""
    first, second = (read_lines(log) for log in logs)
    at = next((i for i, (a, b) in enumerate(zip(first, second)) if a != b),
              min(len(first), len(second)))
    if at == len(first) == len(second):
        return False
    step = next((int(line[:6]) for line in reversed(first[: at + 1]) if line[:6].isdigit()), 0)
    print(f"\nDIFFERENT: seed {seed}, step {step}, line {at + 1}")
    print("\n  asleep before it:")
    for line in sleepers(first[:at]):
        print("    " + line)
    print("\n  before it:")
    for line in first[max(0, at - BEFORE) : at]:
        print("    " + line)
    for name, lines in zip(names, (first, second)):
        print(f"\n  {name}:")
        for i, line in enumerate(lines[at : at + 1 + AFTER]):
            print(("--> " if i == 0 else "    ") + line)
        if at >= len(lines):
            print("--> (the log ends here)")
    print("\n  to repeat it:\n    " + repeat_command(options, seed, max(step, 1)))
    for name, command, log in zip(names, commands, logs):
        fresh = "IPCELL_DIR=$(mktemp -d) " if name == "cell" else ""
        alone = shlex.join(command).replace(log, "/dev/stdout")
        print(f"  {name} alone:\n    {fresh}{alone}")
    sys.stdout.flush()
    return True


def repeat_command(options, seed, ops):
    """A sequence is a prefix of every longer one with its seed: the differing step is enough."""
    command = [sys.argv[0], "--sequence", options.sequence, "--seed", str(seed), "--runs", "1"]
    command += ["--ops", str(ops), "--families", options.families]
    command += ["--workers", str(options.workers), "--schedule", options.schedule]
    for flag in ("self", "self-settle") + FLAGS:
        if getattr(options, flag.replace("-", "_")):
            command.append("--" + flag)
    if options.cell_command:
        command += ["--"] + options.cell_command
    return shlex.join(command)


def add_statistics(total, log):
    for line in read_lines(log):
        if line.startswith("# stat "):
            name, _, count = line[len("# stat ") :].rpartition(": ")
            total[name] += int(count)


def compare_once(options, seed, ops, folder, total):
    """True if both sides gave the same log."""
    logs = [os.path.join(folder, f"seed-{seed}.{side}.log") for side in ("kernel", "other")]
    kernel = sequence_command(options, seed, ops, logs[0], options.schedule)
    kernel.append("--fresh-namespace")
    names = ["kernel", "kernel again" if not options.cell_command else "cell"]
    if options.cell_command:
        other = options.cell_command + sequence_command(options, seed, ops, logs[1],
                                                        options.schedule)
    else:
        schedule = "settle" if options.self_settle else options.schedule
        other = sequence_command(options, seed, ops, logs[1], schedule) + ["--fresh-namespace"]

    status = run(kernel, options.timeout)
    if status != 0:
        raise Failed(f"the kernel's run failed ({status}): {shlex.join(kernel)}")
    status = (run_in_cell if options.cell_command else run)(other, options.timeout)
    is_different = report_difference(options, seed, names, logs, [kernel, other])
    if status != 0:
        print(f"\nFAILED: seed {seed}: {names[1]}: {status}: {shlex.join(other)}")
    add_statistics(total, logs[0])
    if not options.keep:
        for log in logs:
            if os.path.exists(log):
                os.unlink(log)
    return not is_different and status == 0


def compare_all(options, folder):
    total = collections.Counter()
    ops = -(-options.ops // options.runs)
    for seed in range(options.seed, options.seed + options.runs):
        if not compare_once(options, seed, ops, folder, total):
            return False
    if not options.quiet:
        for name, count in total.items():
            print(f"{count:>10}  {name}")
    print(f"the same: {options.runs} runs of {ops} steps, families {options.families}, "
          f"schedule {options.schedule}")
    return True


def main():
    options = parse_arguments()
    if options.self_settle:
        options.one_sleeper = True
    try:
        probe(options)
        if options.keep:
            os.makedirs(options.keep, exist_ok=True)
            return 0 if compare_all(options, options.keep) else 1
        with tempfile.TemporaryDirectory(prefix="ipc-sequence-") as folder:
            return 0 if compare_all(options, folder) else 1
    except Failed as failure:
        print(f"FAILED: {failure}")
        return 1


if __name__ == "__main__":
    sys.exit(main())

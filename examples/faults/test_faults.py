"""Faults as tests of pytest's: WORKER=./worker pytest test_faults.py"""

import json
import os
import subprocess

import pytest

WORKER = os.environ.get("WORKER", "./worker")


def run(*rules):
    options = [word for rule in rules for word in ("--fault", rule)]
    return subprocess.run(["ipcell", "run", "--deny", "--seed", "1", *options, "--", WORKER],
                          capture_output=True, text=True, timeout=60, check=False)


def test_undisturbed():
    assert run().stdout == "sum: 55\n"


@pytest.mark.parametrize("rule", ["msgsnd@1..3=full->eintr", "msgsnd=delay(exit,1ms)", "msgsnd[proc=0.1] p=50%=yield"])
def test_copes(rule):
    result = run(rule)
    assert (result.returncode, result.stdout) == (0, "sum: 55\n") and "never fired" not in result.stderr, result


@pytest.mark.parametrize("rule, message", [
    ("msgget@1=err(ENOSPC)", "msgget: No space left on device"),
    ("msgsnd@3=err(ENOMEM)", "msgsnd: Cannot allocate memory"),
    ("msgsnd@3=kill(after)", "killed by signal 9"),
    ("msgrcv@2=empty", "msgrcv: No message of desired type"),
])
def test_fails_cleanly(rule, message):
    result = run(rule)
    assert result.returncode == 1 and result.stdout == "" and message in result.stderr, result


def test_sweep():
    result = subprocess.run(["ipcell", "sweep", "--json", "--effects", "errors,rmid", "--", WORKER],
                            capture_output=True, text=True, timeout=300, check=False)
    bad = [(trial["repeat"], trial["class"]) for trial in json.loads(result.stdout)["trials"] if trial["finding"]]
    assert bad == [] and result.returncode == 0

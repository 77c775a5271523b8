"""`ipcell run --fault`, and IPCELL_FAULTS: rules for one run."""

import os
import re

import cli_test
from cli_test import expect_failure

FULL = "No space left on device"


def library_of(cells):
    result = cells.call("run", "--", "sh", "-c", "echo $LD_PRELOAD")
    return result.stdout.strip()


def preloaded(cells, *command, **variables):
    """A program that is run without `ipcell run`."""
    return cells.call("run", "--name", "unused", "--", "env", f"LD_PRELOAD={library_of(cells)}", "IPCELL_CELL=plain",
                      *(f"{name}={value}" for name, value in variables.items()), *command)


def test_options(cells):
    result = cells.call("run", "--fault", "msgget@1=err(ENOSPC)", "--", "sh", "-c", "ipcmk -Q; ipcmk -Q")
    assert result.returncode == 0 and result.stderr.count(FULL) == 1, result
    result = cells.call("run", "--fault", "msgget=err(ENOSPC); shmget=err(ENOMEM)", "--fault", "semget=err(ENOSPC)",
                        "--", "sh", "-c", "ipcmk -Q; ipcmk -M 10; ipcmk -S 1")
    assert result.stderr.count(FULL) == 2 and result.stderr.count("allocate memory") == 1, result
    assert "ipcell:" not in result.stderr and cells.entries() == []
    path = cells.top + "/rules"
    with open(path, "w", encoding="ascii") as file:
        file.write("msgget=err(ENOSPC)\n")
    assert FULL in cells.call("run", "--faults", path, "--", "ipcmk", "-Q").stderr


def test_malformed(cells):
    result = cells.call("run", "--fault", "shmget=log; msgsend@3=err(ENOMEM)", "--fault", "semop[=1]=log", "--", "echo", "started")
    expect_failure(result, 125, "ipcell: --fault:1:13: ", "did you mean `msgsnd`?",
                   "\n  shmget=log; msgsend@3=err(ENOMEM)\n              ^~~~~~~\n", "ipcell: --fault:1:7: ")
    assert result.stdout == "" and cells.entries() == []
    expect_failure(cells.call("run", "--fault", "semget[argv~(]=log", "--", "true"), 125, "--fault:1:")
    expect_failure(cells.call("run", "--fault", "mq_open=eintr", "--", "true"), 125, "--fault:1:9: ")
    assert cells.call("run", "--allow-illegal", "--fault", "msgget=err(EINTR)", "--", "ipcmk", "-Q").returncode == 1


def test_what_was_not_met_is_told(cells):
    result = cells.call("run", "--fault", "a: msgget@3=err(ENOSPC); shmat=log", "--", "ipcmk", "-Q")
    assert result.returncode == 0, result
    assert result.stderr.splitlines() == [
        "ipcell: fault rule a `msgget@3=err(ENOSPC)` never fired: 1 call matched",
        "ipcell: fault rule r2 `shmat=log` never fired: no call matched"], result
    result = cells.call("run", "--fault", "semctl=rmid(before)", "--", "ipcrm", "-s", "4711")
    assert "never fired: Linux could not have answered so" in result.stderr, result


def test_seed(cells):
    script = "for n in 1 2 3 4 5 6 7 8 9 10 11 12; do ipcmk -Q 2>/dev/null || echo no; done"
    command = ("--fault", "msgget p=50%=err(ENOSPC)", "--", "sh", "-c", script)
    first = cells.call("run", *command)
    seed = re.fullmatch(r"ipcell: 1 fault rule, seed (\d+)\n", first.stderr)[1]
    kinds = [line == "no" for line in first.stdout.splitlines()]
    again = cells.call("run", "--seed", seed, *command)
    assert [line == "no" for line in again.stdout.splitlines()] == kinds, (first, again)
    assert again.stderr == first.stderr
    environment = dict(cells.environment, IPCELL_FAULT_SEED=seed)
    again = cells.call("run", *command, env=environment)
    assert [line == "no" for line in again.stdout.splitlines()] == kinds
    others = {tuple(line == "no" for line in cells.call("run", "--seed", str(other), *command).stdout.splitlines())
              for other in range(8)}
    assert len(others) > 4, others
    environment["IPCELL_FAULT_SEED"] = "many"
    expect_failure(cells.call("run", *command, env=environment), 125, "IPCELL_FAULT_SEED", "many")


def test_environment_is_taken_out(cells):
    environment = dict(cells.environment, IPCELL_FAULTS="msgget@1=err(ENOSPC)", IPCELL_FAULT_ILLEGAL="1")
    result = cells.call("run", "--", "sh", "-c", "ipcmk -Q; ipcmk -Q; env | grep IPCELL_FAULT", env=environment)
    assert result.stderr.count(FULL) == 1, result
    assert "IPCELL_FAULTS" not in result.stdout and "ILLEGAL" not in result.stdout, result
    environment["IPCELL_FAULTS"] = "msgget@=log"
    expect_failure(cells.call("run", "--", "true", env=environment), 125, "IPCELL_FAULTS:1:")


def test_a_named_cell_is_as_before(cells):
    result = cells.call("run", "--name", "work", "--fault", "msgget=err(ENOSPC)", "--", "ipcmk", "-Q")
    assert FULL in result.stderr, result
    assert cells.call("run", "--name", "work", "--", "ipcmk", "-Q").returncode == 0
    assert cells.list()["work"]["faults"] == 0
    # Nor are those touched that were there.
    cells.call("fault", "add", "--name", "work", "a: shmget=log")
    cells.call("run", "--name", "work", "--fault", "b: msgget=err(ENOSPC)", "--", "ipcmk", "-Q")
    expect_failure(cells.call("run", "--name", "work", "--fault", "a: msgget=err(ENOSPC)", "--", "ipcmk", "-Q"), 125,
                   "there is a fault rule a already")
    assert '"id": "a"' in cells.call("fault", "ls", "--name", "work", "--json").stdout
    assert cells.list()["work"]["faults"] == 1


def test_fork_paths(cells):
    script = "ipcmk -Q; ipcmk -Q; (ipcmk -Q; :); ipcmk -Q"
    for path, rule in (("0.2", "msgget[proc=0.2]=log"), ("0.3.1", "msgget[proc=0.3.1]=log")):
        result = cells.call("run", "--fault", rule, "--", "bash", "-c", script)
        assert result.stderr.count(f"process {path} ") == 1 and result.stderr.count("ipcell:") == 1, result


def test_plain_preload(cells):
    cli_test.needs_plain_build()
    script = "ipcmk -Q; ipcmk -Q; env | grep IPCELL_FAULTS"
    result = preloaded(cells, "sh", "-c", script, IPCELL_FAULTS="msgget@1=err(ENOSPC)")
    assert result.stderr.count(FULL) == 1 and result.stdout.count("Message queue id") == 1, result
    assert "IPCELL_FAULTS" not in result.stdout, result
    # They go with the process that brought them, however it ends.
    assert cells.list()["plain"]["faults"] == 0
    preloaded(cells, "sh", "-c", "kill -9 $$", IPCELL_FAULTS="msgget=err(ENOSPC)")
    assert cells.list()["plain"]["faults"] == 1
    assert preloaded(cells, "ipcmk", "-Q").returncode == 0
    assert cells.list()["plain"]["faults"] == 0


def test_plain_preload_exec(cells):
    cli_test.needs_plain_build()
    result = preloaded(cells, "sh", "-c", "exec ipcmk -Q", IPCELL_FAULTS="msgget=err(ENOSPC)")
    assert FULL in result.stderr, result
    assert cells.list()["plain"]["faults"] == 0


def test_plain_preload_malformed(cells):
    cli_test.needs_plain_build()
    result = preloaded(cells, "ipcmk", "-Q", IPCELL_FAULTS="msgget=err(ENOSPC); msgsend=log")
    assert result.returncode == 0 and "Message queue id" in result.stdout, result
    assert result.stderr.splitlines() == [
        result.stderr.splitlines()[0], "  msgget=err(ENOSPC); msgsend=log", "                      ^",
        "ipcell: none of the fault rules is in force"], result
    assert result.stderr.startswith("ipcell: IPCELL_FAULTS:1:21: "), result
    result = preloaded(cells, "ipcmk", "-Q", IPCELL_FAULTS="msgget=err(EINTR)")
    assert result.returncode == 0 and "IPCELL_FAULTS:1:" in result.stderr, result
    result = preloaded(cells, "ipcmk", "-Q", IPCELL_FAULTS="msgget=err(EINTR)", IPCELL_FAULT_ILLEGAL="1")
    assert result.returncode == 1, result


def test_plain_preload_seed(cells):
    cli_test.needs_plain_build()
    variables = {"IPCELL_FAULTS": "msgget p=0.5=err(ENOSPC)"}
    result = preloaded(cells, "ipcmk", "-Q", **variables)
    seed = re.match(r"ipcell: fault rules are in force, seed (\d+)\n", result.stderr)[1]
    for _ in range(3):
        again = preloaded(cells, "ipcmk", "-Q", **variables, IPCELL_FAULT_SEED=seed)
        assert again.returncode == result.returncode, (again, result)


cli_test.main()

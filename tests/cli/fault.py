"""`ipcell fault`: rules of a cell that is in use."""

import json

import cli_test
from cli_test import expect_failure


def make(cells, name="work"):
    assert cells.call("run", "--name", name, "--", "true").returncode == 0


def fault(cells, command, *arguments, **options):
    return cells.call("fault", command, "--name", "work", *arguments, **options)


def rules(cells):
    result = fault(cells, "ls", "--json")
    assert result.returncode == 0, result
    return json.loads(result.stdout)


def test_add_and_ls(cells):
    make(cells)
    result = fault(cells, "add", "msgsnd@3=err(ENOMEM)", "slow: sem.*=delay(enter,1ms); shmat=err(ENOMEM)")
    assert (result.returncode, result.stderr, result.stdout.split()) == (0, "", ["r1", "slow", "r3"]), result
    assert [(rule["id"], rule["rule"]) for rule in rules(cells)] == [
        ("r1", "msgsnd@3=err(ENOMEM)"), ("slow", "sem.*=delay(enter,1ms)"), ("r3", "shmat=err(ENOMEM)")]
    lines = fault(cells, "ls").stdout.splitlines()
    assert lines[0].split() == ["ID", "STATE", "RULE"] and lines[2].split() == ["slow", "on", "sem.*=delay(enter,1ms)"]
    assert cells.list()["work"]["faults"] == 3
    assert "ok, 3 fault rules" in cells.call("ls").stdout


def test_they_are_looked_at_in_their_order(cells):
    make(cells)
    for n in range(70):
        assert fault(cells, "add", f"x{n}: msgget[key=1]=err(ENOMEM)").returncode == 0
        if n >= 3:
            assert fault(cells, "rm", f"x{n - 3}").returncode == 0
    assert [rule["id"] for rule in rules(cells)] == ["x67", "x68", "x69"]


def test_in_force_at_once(cells):
    make(cells)
    script = "ipcmk -Q >&2; echo made; read -r line; ipcmk -Q; echo $?; read -r line; ipcmk -Q >&2; echo $?"
    run = cells.start("run", "--name", "work", "--", "sh", "-c", script, stdin=-1, stderr=-3)
    assert run.stdout.readline() == "made\n"
    assert fault(cells, "add", "full: msgget=err(ENOSPC)").returncode == 0
    run.stdin.write("\n")
    run.stdin.flush()
    assert run.stdout.readline() == "1\n"
    assert fault(cells, "rm", "full").returncode == 0
    run.stdin.write("\n")
    run.stdin.flush()
    assert run.stdout.readline() == "0\n"
    run.stdin.close()


def test_own_cell_is_the_default(cells):
    make(cells)
    inside = f"{cli_test.IPCELL} fault add 'msgget=err(ENOSPC)' && ! ipcmk -Q && {cli_test.IPCELL} fault hits"
    result = cells.call("run", "--name", "work", "--", "sh", "-c", inside)
    assert result.returncode == 0, result
    assert [rule["fired"] for rule in rules(cells)] == [1]


def test_hits(cells):
    make(cells)
    assert fault(cells, "hits").returncode == 0
    fault(cells, "add", "a: msgget@2=err(ENOSPC)", "b: shmget[size>1M]=err(ENOMEM)", "c: semget=log")
    cells.call("run", "--name", "work", "--", "sh", "-c", "ipcmk -Q; ipcmk -Q; ipcmk -Q; ipcmk -M 100")
    result = fault(cells, "hits")
    assert result.returncode == 1, result
    assert [line.split()[:4] for line in result.stdout.splitlines()] == [
        ["ID", "MATCHED", "FIRED", "REFUSED"], ["a", "3", "1", "0"], ["b", "0", "0", "0"], ["c", "0", "0", "0"]], result
    assert fault(cells, "hits", "a").returncode == 0
    assert fault(cells, "hits", "a", "b").returncode == 1
    found = json.loads(fault(cells, "hits", "--json", "a").stdout)
    assert [(rule["matched"], rule["fired"], rule["refused"]) for rule in found] == [(3, 1, 0)]
    expect_failure(fault(cells, "hits", "d"), 1, "there is no fault rule d")


def test_refused(cells):
    # There is no semaphore set that could be removed: the call is left alone.
    make(cells)
    fault(cells, "add", "semctl=rmid(before)")
    cells.call("run", "--name", "work", "--", "ipcrm", "-s", "4711")
    found = rules(cells)[0]
    assert found["fired"] == found["refused"] > 0, found
    assert fault(cells, "hits").returncode == 1


def test_rm(cells):
    make(cells)
    fault(cells, "add", "a: msgget=log", "b: semget=log", "c: shmget=log")
    expect_failure(fault(cells, "rm"), 1, "--all")
    expect_failure(fault(cells, "rm", "--all", "a"), 1, "--all")
    expect_failure(fault(cells, "rm", "a", "d"), 1, "there is no fault rule d")
    assert len(rules(cells)) == 3
    assert fault(cells, "rm", "a", "c").returncode == 0
    assert [rule["id"] for rule in rules(cells)] == ["b"]
    assert fault(cells, "rm", "--all").returncode == 0
    assert rules(cells) == [] and cells.list()["work"]["faults"] == 0
    result = fault(cells, "ls")
    assert (result.returncode, result.stdout) == (0, "") and "no fault rules" in result.stderr, result
    assert fault(cells, "rm", "--all").returncode == 0


def test_all_or_nothing(cells):
    make(cells)
    expect_failure(fault(cells, "add", "a: msgget=log", "msgsend=log"), 1, "RULE:1:1: ", "msgsend")
    fault(cells, "add", "b: msgget=log")
    expect_failure(fault(cells, "add", "a: msgget=log", "b: semget=log"), 1, "there is a fault rule b already",
                   "ipcell fault rm --name work b")
    expect_failure(fault(cells, "add", "a: msgget=log", "a: semget=log"), 1, "two fault rules are called a")
    expect_failure(fault(cells, "add", *["msgget=log"] * 64), 1, "no room for more")
    expect_failure(fault(cells, "add", *["msgget=log"] * 65), 1, "64 at most")
    assert [rule["id"] for rule in rules(cells)] == ["b"]
    expect_failure(fault(cells, "add"), 1, "no rule")
    expect_failure(fault(cells, "add", " ; # nothing"), 1, "no rule")


def test_files(cells):
    make(cells)
    path = cells.top + "/rules"
    with open(path, "w", encoding="utf-8") as file:
        file.write("# full queues\nmsgsnd=err(ENOMEM)  # always\n\nmsgget@2=err(ENOSPC); shmget=log\n")
    assert fault(cells, "add", "--faults", path).returncode == 0
    assert len(rules(cells)) == 3
    with open(path, encoding="utf-8") as file:
        assert fault(cells, "add", "--faults", "-", stdin=file).returncode == 0
    assert len(rules(cells)) == 6
    with open(path, "w", encoding="utf-8") as file:
        file.write("msgsnd=err(ENOMEM)\n\tmsgget=err(EFROG); shmat=eintr\n")
    result = fault(cells, "add", "--faults", path)
    expect_failure(result, 1, f"{path}:2:13: ", f"{path}:2:", "shmat")
    assert result.stderr.count("\n  \tmsgget=err(EFROG); shmat=eintr\n") == 2, result.stderr
    assert "\n  \t           ^~~~~\n" in result.stderr, result.stderr
    expect_failure(fault(cells, "add", "--faults", cells.top), 1, "directory")
    expect_failure(fault(cells, "add", "--faults", path + ".not"), 1, "No such file")


def test_seed(cells):
    make(cells)
    result = fault(cells, "add", "msgget p=25%=log")
    assert result.returncode == 0 and result.stderr.startswith("ipcell: seed "), result
    seed = result.stderr.split()[-1]
    # The same for all rules of a cell, unless it is said.
    assert fault(cells, "add", "semget p=0.5=log").stderr.split()[-1] == seed
    assert fault(cells, "add", "--seed", "0x10", "semget p=0.5=log").stderr.split()[-1] in ("16", "0x10")
    expect_failure(fault(cells, "add", "--seed", "-1", "semget p=0.5=log"), 2, "seed")


def test_illegal(cells):
    make(cells)
    expect_failure(fault(cells, "add", "msgget=err(EINTR)"), 1, "RULE:1:")
    assert fault(cells, "add", "--allow-illegal", "msgget=err(EINTR)").returncode == 0
    assert rules(cells)[0]["illegal"] and "(illegal)" in fault(cells, "ls").stdout


def test_no_such_cell(cells):
    for command in (("add", "msgget=log"), ("ls",), ("hits",), ("rm", "--all")):
        expect_failure(fault(cells, *command), 1, "work: there is no such cell")


def test_explain(cells):
    overview = cells.call("fault", "explain")
    assert overview.returncode == 0 and len(overview.stdout.splitlines()) == 23, overview
    result = cells.call("fault", "explain", "msgsnd", "mq_close")
    assert "err(ENOMEM)" in result.stdout and "rmid(blocked)" in result.stdout, result
    assert "only with --allow-illegal" in result.stdout and "\nmq_close\n" in result.stdout, result
    calls = json.loads(cells.call("fault", "explain", "--json").stdout)
    assert len(calls) == 22
    msgget = {error["error"]: error for error in calls[0]["errors"]}
    assert msgget["ENOSPC"]["legal"] and msgget["ENOSPC"]["way"] == "limited" and msgget["ENOSPC"]["limit"] == "msgmni"
    expect_failure(cells.call("fault", "explain", "msgsend"), 1, "there is no call msgsend; there are msgget")


cli_test.main()

"""`ipcell sweep`: each class of result, its options, its reports, and what it leaves behind."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree
from html.parser import HTMLParser

import cli_test

STEPS = os.environ["SWEEP_STEPS"]
SITE = re.compile(r"caller=sweep_steps\+0x[0-9a-f]+")


def sweep(cells, program, *options, **more):
    """The sweep's end, and its report."""
    report = os.path.join(cells.top, "report.json")
    if os.path.exists(report):
        os.remove(report)
    result = cells.call("sweep", "--report", report, *options, "--", STEPS, program, **more)
    if not os.path.exists(report):
        return result, None
    with open(report, encoding="utf-8") as file:
        return result, json.load(file)


def findings(report, **wanted):
    return [trial for trial in report["trials"] if trial.get("finding")
            and all(trial[key] == value for key, value in wanted.items())]


def expect_clean(cells):
    """No cell is left, nor any process of a run."""
    assert cells.entries() == [], cells.entries()


def test_a_good_program(cells):
    result, report = sweep(cells, "good")
    assert result.returncode == 0, (result.stdout, result.stderr)
    assert report["findings"] == 0 and report["complete"] and not report["interrupted"]
    assert report["classes"]["same"] > 10 and report["classes"]["handled"] > 5, report["classes"]
    assert {"msgget", "msgsnd", "msgrcv", "msgctl IPC_RMID"} == {s["call"] for s in report["sites"]}
    assert "nothing bad was found" in result.stdout
    # What a killed program leaves is told, and is no fault of its own.
    assert any(t["class"] == "leak" and t["expected"] for t in report["trials"])
    expect_clean(cells)


def test_json_on_standard_output(cells):
    result = cells.call("sweep", "--json", "--effects", "ENOMEM", "--", STEPS, "crash")
    assert result.returncode == 1 and json.loads(result.stdout)["findings"] == 2, result.stdout


def test_silent_wrong(cells):
    result, report = sweep(cells, "unchecked", "--effects", "ENOMEM,full")
    assert result.returncode == 1, result.stdout
    bad = findings(report)
    assert {trial["class"] for trial in bad} == {"silent wrong"}, bad
    assert any("the output differs" in trial["detail"] for trial in bad), bad
    result, report = sweep(cells, "silent", "--effects", "ENOMEM")
    assert [t["detail"] for t in findings(report)] == ["exit status 1 without a message"] * 2


def test_crash(cells):
    result, report = sweep(cells, "crash", "--effects", "errors")
    assert result.returncode == 1 and findings(report, **{"class": "crash"}), report["trials"]
    assert "signal 6" in findings(report)[0]["detail"]
    assert "sweep_steps.c:" in result.stdout or "run_crash" in result.stdout, result.stdout


def test_leak(cells):
    result, report = sweep(cells, "leak", "--effects", "ENOSPC")
    bad = findings(report)
    assert {t["class"] for t in bad} == {"leak"} and {t["at"].split()[0] for t in bad} == {"semget"}
    assert "1 message queue" in bad[0]["detail"] and result.returncode == 1
    assert report["undisturbed"]["leaves"] == "1 semaphore set"


def test_hang_and_who_waits(cells):
    result, report = sweep(cells, "deadlock", "--effects", "kill", "--timeout", "1s")
    hangs = findings(report, **{"class": "hang"})
    assert hangs and result.returncode == 1, result.stdout
    killed_holder = [t for t in hangs if any(
        "sleeps in semop on semaphore 0 of set 0: wants -1, and it is 0; last changed by" in line
        and "has ended" in line for line in t["waits"])]
    assert killed_holder, [t["waits"] for t in hangs]
    assert "no other process of the program is left" in killed_holder[0]["waits"][-1]
    assert killed_holder[0]["waits"][0] in result.stdout
    expect_clean(cells)


def test_next_start_after_a_kill(cells):
    result, report = sweep(cells, "stale", "--effects", "kill")
    bad = findings(report)
    assert bad and all(t["detail"].startswith("the next start: exit status 7") for t in bad), bad
    assert "--name again" in bad[0]["repeat"] and "ipcell rm again" in bad[0]["repeat"]
    assert result.returncode == 1


def test_a_shell_is_no_witness_of_what_was_killed(cells):
    result = cells.call("sweep", "--json", "--effects", "kill", "--", "sh", "-c",
                        f"{STEPS} good; status=$?; exit $status")
    report = json.loads(result.stdout)
    assert result.returncode == 0, (result.stdout, result.stderr)
    assert {"leak"} == {t["class"] for t in report["trials"] if t["expected"]}, report["trials"]


def test_a_second_start_that_differs_is_not_judged(cells):
    result, report = sweep(cells, "ids", "--effects", "kill")
    assert result.returncode == 0 and report["findings"] == 0, result.stdout
    assert "a second start in the same cell differs" in result.stdout


def test_flaky(cells):
    file = os.path.join(cells.top, "flaky")
    more = dict(cells.environment, FLAKY_FILE=file)
    result, report = sweep(cells, "flaky", "--effects", "ENOMEM", "--jobs", "1", env=more)
    assert result.returncode == 1
    assert "flaky" in {t["class"] for t in findings(report)}, report["trials"]
    flaky = findings(report, **{"class": "flaky"})[0]
    assert flaky["runs"] == 3 and "crash" in flaky["detail"], flaky


def test_check_judges(cells):
    result, report = sweep(cells, "silent", "--effects", "delay", "--check", "cat >/dev/null; ipcs -q")
    assert result.returncode == 0, result.stdout
    counter = os.path.join(cells.top, "counter")
    check = f'echo x >>{counter}; test $(wc -l <{counter}) -le 3 || {{ echo "no good" >&2; exit 4; }}'
    result, report = sweep(cells, "silent", "--effects", "delay", "--check", check)
    bad = findings(report)
    assert bad and all(t["class"] == "silent wrong" for t in bad), report["trials"]
    assert "the check fails (exit status 4): no good" in bad[0]["detail"], bad[0]
    # It reads what the program wrote.
    result, report = sweep(cells, "good", "--effects", "delay", "--check", "grep -q 'got text'")
    assert result.returncode == 0, (result.stdout, result.stderr)


def test_ignored_output(cells):
    result, report = sweep(cells, "unchecked", "--effects", "ENOMEM", "--ignore-output")
    assert not [t for t in findings(report) if "output differs" in t["detail"]], report["trials"]


def test_by_call(cells):
    result, report = sweep(cells, "many", "--by", "call", "--effects", "ENOMEM")
    assert result.returncode in (0, 1), result.stderr
    sent = sorted((s["process"], s["number"]) for s in report["sites"] if s["call"] == "msgsnd")
    assert sent == [("0.1", 1), ("0.1", 2), ("0.1", 3), ("0.2", 1), ("0.2", 2), ("0.2", 3)], sent
    rules = {t["rule"] for t in report["trials"]}
    assert "msgsnd[proc=0.2]@3=err(ENOMEM)" in rules, rules
    assert all(t["class"] != "not reached" for t in report["trials"]), report["trials"]


def test_repeat_command(cells):
    _, report = sweep(cells, "crash", "--effects", "ENOMEM")
    command = findings(report)[0]["repeat"]
    assert SITE.search(command), command
    
    again = subprocess.run(
        ["sh", "-c", command.replace("ipcell ", f"{cli_test.IPCELL} ", 1)], env=cells.environment,
        capture_output=True, text=True, timeout=cli_test.PATIENCE, check=False)
    assert again.returncode == 128 + signal.SIGABRT, (command, again)


def test_repeat_command_is_one_line(cells):
    script = f"# it's\n{STEPS} crash"
    result = cells.call("sweep", "--json", "--effects", "ENOMEM", "--", "sh", "-c", script)
    command = next(t["repeat"] for t in json.loads(result.stdout)["trials"] if t["finding"])
    assert "\n" not in command, command
    again = subprocess.run(
        ["bash", "-c", command.replace("ipcell ", f"{cli_test.IPCELL} ", 1)], env=cells.environment,
        capture_output=True, text=True, timeout=cli_test.PATIENCE, check=False)
    assert again.returncode == 128 + signal.SIGABRT, (command, again)


def test_input_is_read_by_each_run(cells):
    path = os.path.join(cells.top, "input")
    with open(path, "w", encoding="utf-8") as file:
        file.write("one\ntwo\n")
    with open(path, encoding="utf-8") as file:
        result, report = sweep(cells, "copy", "--effects", "delay", stdin=file)
    assert result.returncode == 0 and report["classes"]["same"] == len(report["trials"]), result.stdout


def test_reports(cells):
    paths = [os.path.join(cells.top, "report" + end) for end in (".json", ".xml", ".html")]
    options = [word for path in paths for word in ("--report", path)]
    result = cells.call("sweep", *options, "--effects", "ENOMEM,kill", "--", STEPS, "crash")
    assert result.returncode == 1, result.stderr
    with open(paths[0], encoding="utf-8") as file:
        report = json.load(file)
    suite = xml.etree.ElementTree.parse(paths[1]).getroot().find("testsuite")
    cases = suite.findall("testcase")
    assert len(cases) == len(report["trials"]) == int(suite.get("tests"))
    failed = [case for case in cases if case.find("failure") is not None]
    assert len(failed) == report["findings"] == int(suite.get("failures")) > 0
    assert failed[0].find("failure").get("type") == "crash"
    assert "ipcell run" in failed[0].find("failure").text
    check_page(paths[2], len(report["trials"]))


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.rows, self.open, self.links = 0, [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "input", "link", "br"):
            self.open.append(tag)
        names = dict(attrs)
        self.rows += tag == "tr" and "data-class" in names
        self.links += [value for key, value in attrs if key in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.open)


def check_page(path, trials):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    page = Page()
    page.feed(text)
    page.close()
    assert page.rows == trials and page.open == [] and page.links == [], (page.rows, page.open, page.links)
    assert "http" not in text


def test_strange_output_does_not_break_reports(cells):
    script = ("import os, sys; sys.stdout.buffer.write(b'\\xff\\x00<b>&\\x1b[1m\\n'); sys.stdout.flush();"
              "r = os.system(sys.argv[1] + ' crash'); os.write(2, b'\\xfe<script>\\x01]]>' if r else b'');"
              "sys.exit(1 if r else 0)")
    paths = [os.path.join(cells.top, "strange" + end) for end in (".json", ".xml", ".html")]
    options = [word for path in paths for word in ("--report", path)]
    result = cells.call("sweep", *options, "--effects", "ENOMEM", "--state",
                        os.path.join(cells.top, "state"), "--", sys.executable, "-c", script, STEPS)
    assert result.returncode in (0, 1), result.stderr
    with open(paths[0], encoding="utf-8") as file:
        report = json.load(file)
    xml.etree.ElementTree.parse(paths[1])
    check_page(paths[2], len(report["trials"]))


def test_budget(cells):
    result, report = sweep(cells, "slow", "--budget", "3s", "--jobs", "1", "--runs", "1")
    tried = [t for t in report["trials"] if t["class"] != "not tried"]
    assert 0 < len(tried) < len(report["trials"]), len(tried)
    assert not report["complete"] and result.returncode == 0
    assert "were not tried: the budget was used up" in result.stdout
    # Each site comes first, before any comes twice.
    assert len({t["site"] for t in tried[:2]}) == len(tried[:2]), tried[:2]


def test_jobs_run_at_the_same_time(cells):
    begin = time.monotonic()
    result, report = sweep(cells, "slow", "--effects", "errors,delay", "--jobs", "8", "--runs", "1")
    took = time.monotonic() - begin
    assert result.returncode == 0, result.stdout
    alone = 0.3 * len([t for t in report["trials"] if t["class"] == "same"])
    assert took < 0.8 * (alone + 0.3) or alone < 1, (took, alone)


def test_progress_on_a_terminal(cells):
    controller, terminal = pty.openpty()
    running = cells.start("sweep", "--effects", "errors,delay", "--jobs", "1", "--", STEPS, "slow",
                          stderr=terminal)
    os.close(terminal)
    shown = b""
    try:
        while piece := os.read(controller, 4096):
            shown += piece
    except OSError:
        pass  # the last one has closed it
    os.close(controller)
    assert running.wait(cli_test.PATIENCE) == 0
    assert re.search(rb"\r3/\d+ faults, 0 findings, \d+ s to go", shown), shown


def test_state_is_resumed(cells):
    state = os.path.join(cells.top, "state")
    result, first = sweep(cells, "unchecked", "--effects", "errors", "--state", state)
    assert result.returncode == 1 and "in an earlier sweep" not in result.stdout
    with open(state, encoding="utf-8") as file:
        lines = file.readlines()
    assert len(lines) == 1 + len(first["trials"])
    # As if it had been killed while it wrote the last but one.
    with open(state, "w", encoding="utf-8") as file:
        file.writelines(lines[:-2] + [lines[-2][:20]])
    result, second = sweep(cells, "unchecked", "--effects", "errors", "--resume", state)
    assert f"({len(first['trials']) - 2} of them in an earlier sweep)" in result.stdout, result.stdout
    assert [(t["rule"], t["class"], t["detail"]) for t in first["trials"]] == \
        [(t["rule"], t["class"], t["detail"]) for t in second["trials"]]
    # More effects make more trials of the same sweep.
    result, third = sweep(cells, "unchecked", "--effects", "errors,delay", "--state", state)
    assert len(third["trials"]) > len(first["trials"])
    assert f"({len(first['trials'])} of them in an earlier sweep)" in result.stdout


def test_foreign_state_is_refused(cells):
    state = os.path.join(cells.top, "state")
    sweep(cells, "crash", "--effects", "ENOMEM", "--state", state)
    for program, options, words in (("leak", [], "command"), ("crash", ["--seed", "7"], "seed"),
                                    ("crash", ["--by", "call"], "by")):
        result, report = sweep(cells, program, "--state", state, *options)
        cli_test.expect_failure(result, 2, "it is another sweep's", f"its {words} is", "remove it")
        assert report is None
    other = os.path.join(cells.top, "other")
    with open(other, "w", encoding="utf-8") as file:
        file.write("a shopping list\n")
    result, _ = sweep(cells, "crash", "--state", other)
    cli_test.expect_failure(result, 2, "it is no state of a sweep")
    with open(other, encoding="utf-8") as file:
        assert file.read() == "a shopping list\n"


def test_a_state_in_use_is_refused(cells):
    state = os.path.join(cells.top, "state")
    running = cells.start("sweep", "--state", state, "--", STEPS, "slow", stderr=subprocess.DEVNULL)
    cli_test.wait_until(lambda: os.path.exists(state) and os.path.getsize(state) > 0, "the state")
    result, _ = sweep(cells, "slow", "--state", state)
    cli_test.expect_failure(result, 2, "another sweep is using it")
    running.send_signal(signal.SIGINT)
    running.wait(cli_test.PATIENCE)


def processes_of(cells):
    """Those that have the test's folder in their environment, but for the sweep's helpers."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                environment = file.read()
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                command = file.read()
        except OSError:
            continue
        if cells.base.encode() in environment and command.startswith(STEPS.encode()):
            found.append(int(pid))
    return found


def test_ctrl_c(cells):
    report = os.path.join(cells.top, "report.json")
    running = cells.start("sweep", "--report", report, "--jobs", "2", "--timeout", "30s", "--effects",
                          "kill,errors", "--", STEPS, "deadlock", stderr=subprocess.DEVNULL)
    # Something hangs.
    cli_test.wait_until(lambda: len(processes_of(cells)) >= 2, "runs")
    time.sleep(1)
    os.killpg(running.pid, signal.SIGINT)
    out, _ = running.communicate(timeout=cli_test.PATIENCE)
    assert running.returncode in (1, 2), out
    assert "were not tried: the sweep was interrupted" in out, out
    with open(report, encoding="utf-8") as file:
        done = json.load(file)
    assert done["interrupted"] and not done["complete"]
    assert processes_of(cells) == []
    expect_clean(cells)


def test_ctrl_c_at_once(cells):
    running = cells.start("sweep", "--", "sleep", "100", stderr=subprocess.PIPE)
    cli_test.wait_until(lambda: any(name.startswith("run-") for name in cells.entries()), "a run")
    time.sleep(0.2)
    os.killpg(running.pid, signal.SIGINT)
    _, err = running.communicate(timeout=cli_test.PATIENCE)
    assert running.returncode == 2 and "interrupted" in err, err
    expect_clean(cells)


def test_killed_sweep_leaves_no_process(cells):
    running = cells.start("sweep", "--timeout", "60s", "--effects", "kill", "--", STEPS, "deadlock",
                          stderr=subprocess.DEVNULL)
    cli_test.wait_until(lambda: processes_of(cells), "runs")
    time.sleep(0.5)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    cli_test.wait_until(lambda: processes_of(cells) == [], "the end of all runs")
    cli_test.wait_until(lambda: cells.entries() == [], "the removal of all cells")


def test_daemons_do_not_outlive_their_run(cells):
    script = f'{STEPS} good; setsid sleep 333.25 >/dev/null 2>&1 & sleep 0.2'
    result = cells.call("sweep", "--effects", "ENOMEM", "--runs", "1", "--", "sh", "-c", script)
    assert "leaves processes" in result.stdout, (result.stdout, result.stderr)
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "sleep 333.25" not in listing
    expect_clean(cells)


def test_undisturbed_failures(cells):
    script = 'echo "I am not well" >&2; exit 3'
    result = cells.call("sweep", "--", "sh", "-c", script)
    cli_test.expect_failure(result, 2, "exit status 3", "I am not well", "--check")
    result = cells.call("sweep", "--", "true")
    cli_test.expect_failure(result, 2, "makes no IPC call")
    result = cells.call("sweep", "--timeout", "500ms", "--", "sleep", "100")
    cli_test.expect_failure(result, 2, "does not end within")
    result = cells.call("sweep", "--check", "echo never >&2; false", "--", STEPS, "good")
    cli_test.expect_failure(result, 2, "--check: it fails after an undisturbed run", "never")
    # With a check that is content the program may fail.
    result = cells.call("sweep", "--check", "true", "--effects", "delay", "--", "sh", "-c",
                        f"{STEPS} good; exit 5")
    assert result.returncode == 0 and "exit status 5" in result.stdout, (result.stdout, result.stderr)


def test_bad_options(cells):
    for options, words in (
            (["--jobs", "0"], ["--jobs"]), (["--budget", "soon"], ["--budget soon", "30s"]),
            (["--timeout", "-1s"], ["--timeout"]), (["--by", "chance"], ["--by"]),
            (["--effects", "ENOMEM,magic"], ["--effects magic", "eintr", "ENOMEM"]),
            (["--report", "report.pdf"], ["report.pdf", ".html"]), (["--runs", "0"], ["--runs"]),
            (["--seed", "x"], ["--seed x"]), (["--limit", "msgmni"], ["msgmni"]),
            (["--nonsense"], ["--nonsense"]), (["--state", "/nowhere/state"], ["/nowhere/state"])):
        result = cells.call("sweep", *options, "--", STEPS, "good")
        cli_test.expect_failure(result, 2, *words)
    cli_test.expect_failure(cells.call("sweep"), 2, "no command")
    cli_test.expect_failure(cells.call("sweep", "--", "/nowhere/program"), 2, "no such program")


def test_faults_of_the_environment_do_not_count(cells):
    more = dict(cells.environment, IPCELL_FAULTS="msgget=err(ENOSPC)")
    result, report = sweep(cells, "good", "--effects", "delay", env=more)
    assert result.returncode == 0 and report["findings"] == 0, (result.stdout, result.stderr)


cli_test.main()

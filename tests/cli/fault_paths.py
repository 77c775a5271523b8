"""Rules of fault injection and processes: whose calls a rule is about, wherever they are made."""

import os

import cli_test

STEPS = os.environ["FAULT_STEPS"]


def run(cells, rules, *steps, options=()):
    """What became of each call, in the order of the lines."""
    result = cells.call("run", *cli_test.RUN_OPTIONS, "--fault", rules, *options, "--", STEPS, *steps)
    assert result.returncode == 0, result
    return result.stdout.splitlines()


def failed(cells, rules, *steps):
    """The labels of the calls that failed with ENOMEM; the others succeeded."""
    lines = run(cells, rules, *steps)
    assert all(line.endswith((" ok", " ENOMEM")) for line in lines), lines
    return [line.split()[0] for line in lines if line.endswith(" ENOMEM")]


def test_paths_over_fork_and_exec(cells):
    steps = ("call", "fork", "clone", "vfork", "spawn", "system", "fork")
    everybody = ["call", "child", "grandchild", "clone", "call", "call", "call", "child", "grandchild"]
    assert failed(cells, "msgget=err(ENOMEM)", *steps) == everybody
    for path, label in (("0", "call"), ("0.1", "child"), ("0.1.1", "grandchild"), ("0.2", "clone"), ("0.3", "call"),
                        ("0.4", "call"), ("0.5", "call"), ("0.6", "child"), ("0.6.1", "grandchild"), ("0.7", None)):
        expected = [] if label is None else [label]
        assert failed(cells, f"msgget[proc={path}]=err(ENOMEM)", *steps) == expected, path


def test_exec_goes_on_with_the_path(cells):
    # `exec call` ends the first program: what it had forked still counts.
    assert failed(cells, "msgget[proc=0]=err(ENOMEM)", "fork", "exec") == ["call"]
    result = cells.call("run", "--fault", "msgget[proc=0.2]=err(ENOMEM)", "--", "sh", "-c",
                        f"{STEPS} call; exec sh -c '{STEPS} call; true'")
    assert result.stdout.splitlines() == ["call ok", "call ENOMEM"], result


def test_an_environment_that_is_thrown_away(cells):
    result = cells.call("run", "--fault", "msgget[proc=0.1]=err(ENOMEM)", "--", "sh", "-c", f"env -i {STEPS} call; true")
    assert result.stdout == "call ENOMEM\n", result


def test_counted_by_process(cells):
    assert failed(cells, "msgget@1 per=proc=err(ENOMEM)", "call", "call", "fork") == ["call", "child", "grandchild"]
    assert failed(cells, "msgget@3=err(ENOMEM)", "call", "call", "fork") == ["child"]


def test_threads(cells):
    assert failed(cells, "msgget[thread=0]=err(ENOMEM)", "call", "thread") == ["call"]
    assert failed(cells, "msgget[thread=1]=err(ENOMEM)", "call", "thread", "thread") == ["thread"]
    assert failed(cells, "msgget[thread=2]=err(ENOMEM)", "call", "thread", "thread") == ["thread"]


def test_stopped_and_continued(cells):
    # However short it is, and whichever thread makes the call.
    for length in ("1ns", "1us", "20ms"):
        lines = run(cells, f"msgget=stop({length})", "call", "thread", "thread", "call")
        assert lines == ["call ok", "thread ok", "thread ok", "call ok"], (length, lines)


def test_programs_and_arguments(cells):
    assert failed(cells, "msgget[prog=fault_s*]=err(ENOMEM)", "call") == ["call"]
    assert failed(cells, "msgget[prog=sh]=err(ENOMEM)", "call") == []
    assert failed(cells, "msgget[argv~call$]=err(ENOMEM)", "call") == ["call"]
    assert failed(cells, 'msgget[argv~"steps (call|fork) thread"]=err(ENOMEM)', "call", "thread") == ["call", "thread"]
    assert failed(cells, "msgget[argv~^call]=err(ENOMEM)", "call") == []


def test_callers(cells):
    assert failed(cells, "msgget[caller=fault_steps]=err(ENOMEM)", "call", "fork") == ["call", "child", "grandchild"]
    assert failed(cells, "msgget[caller=libc.so.6]=err(ENOMEM)", "call") == []
    perl = cells.call("run", "--fault", "msgget[caller=perl*]=err(ENOMEM)", "--", "perl", "-e",
                      'print defined(msgget(0, 0600)) ? "ok" : "failed"')
    assert perl.stdout == "failed", perl


def test_handlers_have_calls_of_their_own(cells):
    # The rule is about the sleeping msgrcv; the handler's msgget is another call, and is asked about, too.
    assert run(cells, "msgget@2=err(ENOMEM)", "handler") == ["handler ENOMEM", "sleeper EINTR", "behind ok"]
    assert run(cells, "msgget@2=err(ENOMEM); msgrcv=delay(exit,1ms)", "handler") == \
        ["handler ENOMEM", "sleeper EINTR", "behind ok"]
    assert run(cells, "msgget@3=err(ENOMEM); msgrcv=delay(blocked,60ms)", "handler") == \
        ["handler ok", "sleeper EINTR", "behind ENOMEM"]


def test_a_handler_may_jump_out(cells):
    assert run(cells, "msgget@3=err(ENOMEM); msgrcv=delay(exit,1ms)", "jump") == ["handler ok", "behind ENOMEM"]
    assert run(cells, "msgget@3=err(ENOMEM); msgrcv=delay(enter,60ms)", "jump") == ["handler ok", "behind ENOMEM"]


def test_an_interrupted_call_is_not_restarted_for_an_older_handler(cells):
    # msgrcv is not restarted; its handler's SA_RESTART must not be taken for one of mq_receive's.
    assert run(cells, "mq_receive=eintr", "restart") == ["handler ok", "sleeper EINTR", "mq_receive EINTR"]


def test_each_call_has_rules(cells):
    for call, error in (("shmget", "ENOSPC"), ("shmget", "ENOMEM"), ("shmat", "ENOMEM"), ("mq_open", "EMFILE"),
                        ("mq_open", "ENFILE"), ("mq_send", "ENOMEM"), ("mq_notify", "EBUSY")):
        steps = "shm" if call.startswith("shm") else "mq"
        lines = run(cells, f"{call}=err({error})", steps)
        assert f"{call} {error}" in lines, (call, error, lines)
    for call in ("mq_getattr", "mq_unlink", "mq_close", "mq_receive", "shmdt", "shmctl"):
        steps = "shm" if call.startswith("shm") else "mq"
        result = cells.call("run", "--fault", f"x: {call}=log", "--", STEPS, steps)
        assert f"ipcell: fault x: {call}" in result.stderr, (call, result)


def test_repeats_itself(cells):
    rule = "msgget p=0.4=err(ENOMEM)"
    steps = ("call",) * 30 + ("fork",) * 10
    first = run(cells, rule, *steps, options=("--seed", "42"))
    assert run(cells, rule, *steps, options=("--seed", "42")) == first
    assert run(cells, rule, *steps, options=("--seed", "43")) != first
    assert 5 <= sum(line.endswith("ENOMEM") for line in first) <= 40, first


def test_static_and_inline_programs(cells):
    """Under --trap rules are about the calls of programs that have no library, too."""
    static = os.environ.get("FAULT_STEPS_STATIC")
    if not static:
        raise cli_test.Skip("no static program")
    result = cells.call("run", "--trap", "--fault", "msgget@2=err(ENOMEM)", "--", static, "call", "call", "call")
    if result.returncode == 125:
        raise cli_test.Skip(result.stderr)
    assert result.stdout.splitlines() == ["call ok", "call ENOMEM", "call ok"], result
    result = cells.call("run", "--trap", "--fault", "msgget@2=kill(before)", "--", static, "call", "call", "call")
    assert result.returncode == 137 and result.stdout == "call ok\n", result
    # Who is killed while the call is put off, or the process stopped, is not waited for.
    for action in ("delay(enter,1h)", "stop(1h)", "delay(exit,1h)"):
        result = cells.call("run", "--trap", "--fault", f"msgget={action}", "--", "sh", "-c",
                            f"{static} call & sleep 0.3; kill -9 $!; wait $!")
        assert result.returncode == 137 and result.stdout == "", (action, result)


cli_test.main()

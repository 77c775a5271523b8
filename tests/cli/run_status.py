"""`ipcell run` is transparent: status, arguments, descriptors, signal state, environment."""

import os
import subprocess

import cli_test
from cli_test import expect_failure


def test_status_is_passed_on(cells):
    for status in (0, 1, 7, 125, 255):
        assert cells.run("sh", "-c", f"exit {status}").returncode == status


def test_death_by_signal(cells):
    for number in (1, 2, 9, 11, 15):
        result = cells.run("sh", "-c", f"ulimit -c 0; kill -{number} $$")
        assert result.returncode == 128 + number, (number, result)


def test_not_found(cells):
    expect_failure(cells.run("no-such-program-anywhere"), 127, "no-such-program-anywhere", "PATH")
    expect_failure(cells.run("/no/such/program"), 127, "/no/such/program")
    expect_failure(cells.run(""), 127)
    assert cells.entries() == []


def test_not_executable(cells):
    path = os.path.join(cells.top, "text")
    with open(path, "w", encoding="ascii") as file:
        file.write("#!/no/such/interpreter\n")
    expect_failure(cells.run(path), 126, path)
    os.chmod(path, 0o755)
    expect_failure(cells.run(path), 126, path, "interpreter")
    expect_failure(cells.run("/"), 126)
    assert cells.entries() == []


def test_own_failures(cells):
    expect_failure(cells.call("run"), 125, "no command")
    expect_failure(cells.call("run", "--"), 125, "no command")
    expect_failure(cells.call("run", "--no-such-option", "--", "true"), 125, "--no-such-option")
    expect_failure(cells.call("run", "--name"), 125, "--name")
    for name in (".", "..", ".hidden", "a/b", "a b", "x" * 65, "../x"):
        expect_failure(cells.call("run", "--name", name, "--", "true"), 125, "name")
    for mode in ("600x", "0644", "0622", "1666", "rw", "99", "777777"):
        expect_failure(cells.call("run", "--mode", mode, "--", "true"), 125, "0600")
    broken = dict(cells.environment, IPCELL_LIBRARY="/no/such/library.so")
    expect_failure(cells.run("true", env=broken), 125, "/no/such/library.so", "IPCELL_LIBRARY")
    assert cells.entries() == []


def test_library_path_that_ld_preload_cannot_hold(cells):
    path = os.path.join(cells.top, "a b.so")
    with open(path, "w", encoding="ascii"):
        pass
    broken = dict(cells.environment, IPCELL_LIBRARY=path)
    expect_failure(cells.run("true", env=broken), 125, "LD_PRELOAD")


def test_arguments(cells):
    assert cells.run("printf", "%s|", "a", "--", "-b", "", "--json").stdout == "a|--|-b||--json|"
    # Without `--` as well, whose arguments may hold one.
    assert cells.call("run", "printf", "%s|", "a", "--", "b").stdout == "a|--|b|"
    assert cells.call("run", "--keep", "printf", "%s", "--name").stdout == "--name"


def test_standard_streams(cells):
    result = cells.run("sh", "-c", "cat; echo oops >&2", stdin=None, input="hello\n")
    assert (result.stdout, result.stderr) == ("hello\n", "oops\n"), result


def test_environment(cells):
    environment = dict(cells.environment, LD_PRELOAD="/lib/other.so", IPCELL_MODE="0666", KEPT="yes")
    library = subprocess.run(
        [cli_test.IPCELL, "run", "sh", "-c", "echo $LD_PRELOAD"], env=cells.environment,
        capture_output=True, text=True, check=True).stdout.strip()
    result = cells.call(
        "run", "--name", "work", "--", "sh", "-c",
        "echo $LD_PRELOAD $IPCELL_DIR $IPCELL_CELL $KEPT ${IPCELL_MODE-unset}", env=environment)
    assert result.stdout.split() == [
        library + ":/lib/other.so", cells.base, "work", "yes", "unset"], result.stdout


def test_nested_runs_preload_once(cells):
    cli_test.needs_plain_build()
    show = ("sh", "-c", "echo $LD_PRELOAD")
    once = cells.run(*show).stdout
    assert once.strip() and ":" not in once, once
    assert cells.run(cli_test.IPCELL, "run", *cli_test.RUN_OPTIONS, "--", *show).stdout == once


def listing(command, **options):
    show = "for fd in /proc/self/fd/*; do echo ${fd##*/}; done"
    return subprocess.run(
        [*command, "sh", "-c", show], stdout=subprocess.PIPE, text=True, check=True, **options).stdout


def test_no_descriptor_leaks(cells):
    reader, writer = os.pipe()
    options = {"env": cells.environment, "pass_fds": (reader, writer), "stdin": subprocess.DEVNULL}
    run = [cli_test.IPCELL, "run", "--deny", "--"]
    assert listing(run, **options) == listing([], **options)
    os.close(reader)
    os.close(writer)


def test_closed_streams_stay_closed(cells):
    script = 'exec "$@" <&- 2>&-'
    native = listing(["sh", "-c", script, "sh"], env=cells.environment)
    command = ["sh", "-c", script, "sh", cli_test.IPCELL, "run", *cli_test.RUN_OPTIONS, "--"]
    assert listing(command, env=cells.environment) == native
    assert cells.entries() == []


def test_pipe_closes_with_the_program(cells):
    # Standard output is the program's: when it closes it, the reader sees the end at once.
    run = cells.start("run", *cli_test.RUN_OPTIONS, "--", "sh", "-c", "echo first; exec >&-; sleep 1000")
    assert run.stdout.read() == "first\n"
    assert run.poll() is None


def test_signal_state_is_inherited(cells):
    script = r"""
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM, signal.SIGRTMIN + 3])
os.execvp(sys.argv[1], sys.argv[1:])
"""
    show = ["grep", "-E", "^Sig(Blk|Ign|Cgt)", "/proc/self/status"]
    outputs = []
    for command in (show, [cli_test.IPCELL, "run", *cli_test.RUN_OPTIONS, "--", *show]):
        result = subprocess.run(
            ["python3", "-c", script, *command], env=cells.environment, capture_output=True,
            text=True, check=False)
        # That SIGCHLD is ignored must not cost the status.
        assert result.returncode == 0, result
        outputs.append([line for line in result.stdout.splitlines() if "SigCgt" not in line])
    assert outputs[0] == outputs[1], outputs


cli_test.main()

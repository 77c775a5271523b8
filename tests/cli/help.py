"""Help teaches by example, and what is wrong is named."""

import cli_test
from cli_test import expect_failure


def test_help(cells):
    for arguments in ((), ("run",), ("ls",), ("rm",), ("check",), ("doctor",), ("fault",), ("fault", "add"), ("fault", "rm"), ("fault", "ls"),
                      ("fault", "hits"), ("fault", "explain")):
        result = cells.call(*arguments, "--help")
        assert result.returncode == 0 and result.stderr == "", result
        assert "Examples:\n  ipcell " in result.stdout, result.stdout
        assert all(len(line) <= 100 for line in result.stdout.splitlines()), result.stdout


def test_version(cells):
    result = cells.call("--version")
    assert result.returncode == 0 and result.stdout.startswith("ipcell "), result


def test_usage_errors(cells):
    expect_failure(cells.call(), 2, "--help")
    expect_failure(cells.call("no-such-command"), 2, "no-such-command")
    expect_failure(cells.call("ls", "--no-such-option"), 2, "--no-such-option")
    expect_failure(cells.call("ls", "extra"), 2, "extra")
    expect_failure(cells.call("fault", "no-such-command"), 2, "there is no command fault no-such-command")
    expect_failure(cells.call("fault"), 2, "ipcell fault --help")


cli_test.main()

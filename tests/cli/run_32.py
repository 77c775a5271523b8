"""`ipcell run` with programs of both sizes: each gets its library, and the loader warns of none."""

import os

import cli_test

PROGRAM_32, PROGRAM_64 = os.environ["TALK_32"], os.environ["TALK_64"]
# Each does something, and starts the other by a shell.
SCRIPT = 'set -e; ipcmk -Q >/dev/null; "$0" "$1"; "$1" "$0"; env "$0" "$1"'


def need_both():
    if not PROGRAM_32:
        raise cli_test.Skip("this compiler makes no 32-bit programs")


def expect_silence(result):
    assert (result.returncode, result.stderr) == (0, ""), (result.returncode, result.stderr)


def test_a_64_bit_shell_starts_both(cells):
    need_both()
    expect_silence(cells.call("run", "--deny", "--", "sh", "-c", SCRIPT, PROGRAM_32, PROGRAM_64))
    expect_silence(cells.call("run", "--deny", "--", "sh", "-c", SCRIPT, PROGRAM_64, PROGRAM_32))


def test_both_are_run(cells):
    need_both()
    expect_silence(cells.call("run", "--deny", "--", PROGRAM_32, PROGRAM_64))
    expect_silence(cells.call("run", "--deny", "--", PROGRAM_64, PROGRAM_32))


def test_each_size_makes_the_cell(cells):
    need_both()
    for name, maker, user in (("first", PROGRAM_32, PROGRAM_64), ("second", PROGRAM_64, PROGRAM_32)):
        expect_silence(cells.call("run", "--deny", "--name", name, "--", maker, user))
        expect_silence(cells.call("run", "--deny", "--name", name, "--", user, maker))
        assert cells.call("ls").returncode == 0
        expect_silence(cells.call("rm", name))


def test_doctor_knows_both(cells):
    need_both()
    result = cells.call("doctor", PROGRAM_32, PROGRAM_64)
    assert result.returncode == 0, result.stdout
    assert "32-bit x86" in result.stdout and "64-bit x86-64" in result.stdout, result.stdout


def test_a_library_of_one_size_warns(cells):
    need_both()
    only = os.path.realpath(os.path.join(os.path.dirname(cli_test.IPCELL), "../interpose/libipcell.so"))
    result = cells.call("run", "--deny", "--", PROGRAM_32, PROGRAM_64, env=dict(cells.environment, IPCELL_LIBRARY=only))
    assert "32-bit x86" in result.stderr, result.stderr


def test_a_library_named_with_lib(cells):
    need_both()
    both = os.path.join(os.path.dirname(cli_test.IPCELL), "../interpose/by-lib/$LIB/libipcell.so")
    named = dict(cells.environment, IPCELL_LIBRARY=both)
    expect_silence(cells.call("run", "--deny", "--", PROGRAM_32, PROGRAM_64, env=named))


cli_test.main()

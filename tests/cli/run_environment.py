"""What programs are told of their cell by those that start them: what is missing is added, what is
said is respected."""

import os

import cli_test

SHOW = "echo ${LD_PRELOAD-unset} ${IPCELL_DIR-unset} ${IPCELL_CELL-unset} ${IPCELL_MODE-unset} ${IPCELL_POSIX-unset}"


def shown(cells, *command, options=(), env=None):
    """What a shell finds in its environment that `command` starts in the cell `work`."""
    result = cells.call("run", *options, "--name", "work", "--", *command, "/bin/sh", "-c", SHOW,
                        env=env or cells.environment)
    assert (result.returncode, result.stderr) == (0, ""), result
    return result.stdout.split()


def library_of(cells):
    return shown(cells)[0]


def test_what_is_missing_is_added(cells):
    cli_test.needs_plain_build()
    library = library_of(cells)
    everything = [library, cells.base, "work", "unset", "work"]
    for command in (("env",), ("env", "-i"), ("env", "-u", "LD_PRELOAD"), ("env", "-i", "PATH=/bin", "A=1"),
                    ("env", "-u", "IPCELL_CELL", "-u", "IPCELL_DIR"), ("env", "-i", "IPCELL_CELL=work"),
                    ("env", "-i", f"IPCELL_DIR={cells.base}")):
        assert shown(cells, *command, options=("--posix",)) == everything, command


def test_mode_is_added(cells):
    cli_test.needs_plain_build()
    shared = os.path.join(cells.top, "shared")
    os.mkdir(shared)
    os.chmod(shared, 0o1777)
    found = shown(cells, "env", "-i", options=("--mode", "0660"), env=dict(cells.environment, IPCELL_DIR=shared))
    assert found[1:4] == [shared, "work", "0660"], found


def test_what_is_said_is_respected(cells):
    cli_test.needs_plain_build()
    library = library_of(cells)
    other = cells.top + "/other"
    assert shown(cells, "env", "IPCELL_CELL=other", options=("--posix",)) == [
        library, cells.base, "other", "unset", "work"]
    assert shown(cells, "env", "-i", "IPCELL_CELL=other", options=("--posix",)) == [
        library, cells.base, "other", "unset", "unset"]
    assert shown(cells, "env", "-i", f"IPCELL_DIR={other}") == [library, other, "unset", "unset", "unset"]
    # Present and empty.
    assert shown(cells, "env", "-i", "LD_PRELOAD=", "A=1") == ["unset", "unset", "unset", "unset"]


def test_other_libraries_stay_in_front(cells):
    cli_test.needs_plain_build()
    library = library_of(cells)
    other = "libm.so.6"
    for given in (other, f"{other} libc.so.6", f"{other}:libc.so.6"):
        assert " ".join(shown(cells, "env", f"LD_PRELOAD={given}")).startswith(f"{given}:{library} "), given
    for given in (library, f"{library}:{other}", f"{other}:{library}", f"{other} {library}"):
        assert " ".join(shown(cells, "env", f"LD_PRELOAD={given}")).startswith(f"{given} "), given


def test_a_nested_run_is_its_own(cells):
    cli_test.needs_plain_build()
    found = shown(cells)
    result = cells.call("run", "--posix", "--name", "work", "--", cli_test.IPCELL, "run", "--name", "inner", "--",
                        "env", "-i", "/bin/sh", "-c", SHOW)
    assert result.stdout.split()[:3] == [found[0], cells.base, "inner"], result


cli_test.main()

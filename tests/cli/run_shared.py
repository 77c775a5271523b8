"""A cell that all users may use: what a conformance program shows of the kernel holds in it."""

import os

import cli_test

USER_CHANGES = os.environ["USER_CHANGES"]


def test_changes_of_user(cells):
    cli_test.needs_root()
    shared = os.path.join(cells.top, "shared")
    os.mkdir(shared)
    os.chmod(shared, 0o1777)
    os.chmod(cells.top, 0o755)
    environment = dict(cells.environment, IPCELL_DIR=shared)
    for name in (("--name", "work"), ()):
        result = cells.call("run", "--deny", "--mode", "0666", *name, "--", USER_CHANGES, env=environment)
        assert (result.returncode, result.stderr) == (0, ""), result


cli_test.main()

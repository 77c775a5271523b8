"""Where cells go: the folders are chosen, checked and made, and bad ones are refused by name."""

import os
import resource
import stat
import subprocess

import cli_test
from cli_test import expect_failure

SHOW = ("sh", "-c", "echo $IPCELL_DIR")


def use(cells, path):
    cells.environment["IPCELL_DIR"] = path
    return path


def test_missing_folder_is_made(cells):
    path = use(cells, os.path.join(cells.top, "new"))
    assert cells.run(*SHOW).stdout == path + "\n"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o700


def test_spellings(cells):
    for spelling in (cells.base + "//", os.path.join(cells.top, ".", "x", "..", "cells")):
        use(cells, spelling)
        assert cells.run(*SHOW).stdout == cells.base + "\n"
    use(cells, "cells")
    assert cells.run(*SHOW, cwd=cells.top).stdout == cells.base + "\n"


def test_parent_is_missing(cells):
    path = use(cells, os.path.join(cells.top, "no", "such"))
    expect_failure(cells.run("true"), 125, path, "parent")


def test_not_a_folder(cells):
    path = use(cells, os.path.join(cells.top, "file"))
    with open(path, "w", encoding="ascii"):
        pass
    for result in (cells.run("true"), cells.call("ls"), cells.call("rm", "x")):
        expect_failure(result, 125 if result.args[1] == "run" else 1, path, "not a folder")
    use(cells, os.path.join(path, "below"))
    expect_failure(cells.run("true"), 125, "below")


def test_symbolic_link(cells):
    for spelling in ("link", "link/"):
        path = os.path.join(cells.top, "link")
        if not os.path.islink(path):
            os.symlink(cells.base, path)
        use(cells, os.path.join(cells.top, spelling))
        expect_failure(cells.run("true"), 125, path, "symbolic link")
    assert cells.entries() == []


def test_writable_by_others(cells):
    for mode in (0o777, 0o770, 0o702, 0o1777):
        os.chmod(cells.base, mode)
        expect_failure(cells.run("true"), 125, cells.base, "chmod")
    os.chmod(cells.base, 0o755)
    assert cells.run("true").returncode == 0


def test_cell_folder_is_checked_too(cells):
    folder = os.path.join(cells.base, "work")
    os.mkdir(folder)
    os.chmod(folder, 0o777)
    ask = ("run", "--name", "work", "--", "true")
    expect_failure(cells.call(*ask), 125, folder, "chmod")
    os.rmdir(folder)
    os.symlink(cells.top, folder)
    expect_failure(cells.call(*ask), 125, folder, "symbolic link")
    os.unlink(folder)
    os.symlink("/etc/passwd", os.path.join(cells.top, "passwd"))
    os.mkdir(folder, 0o700)
    os.symlink("/etc/passwd", os.path.join(folder, "cell"))
    expect_failure(cells.call(*ask), 125, folder)


def test_long_path(cells):
    path = os.path.join(cells.top, *["x" * 100] * 5)
    os.makedirs(path)
    use(cells, path)
    expect_failure(cells.run("true"), 125, "too long")


def test_foreign_owner(cells):
    cli_test.needs_root()
    os.chown(cells.base, 61234, 61234)
    expect_failure(cells.run("true"), 125, cells.base, "another user")
    os.chown(cells.base, 0, 0)
    folder = os.path.join(cells.base, "work")
    os.mkdir(folder, 0o700)
    os.chown(folder, 61234, 61234)
    expect_failure(cells.call("run", "--name", "work", "--", "true"), 125, folder, "another user")


def test_unwritable(cells):
    options = {}
    if os.geteuid() == 0:
        options = cli_test.as_user(61234)
        os.chmod(cells.top, 0o755)
        os.chown(cells.base, 61234, 61234)
    os.chmod(cells.base, 0o500)
    expect_failure(cells.run("true", **options), 125, cells.base, "cannot be written")
    use(cells, os.path.join(cells.base, "below"))
    expect_failure(cells.run("true", **options), 125, "below", "cannot be written")


def test_fallbacks(cells):
    """The first candidate is somebody else's: the next one is taken."""
    cli_test.needs_root()
    uid = 70000 + os.getpid() % 100000
    first, last = f"/dev/shm/ipcell-{uid}", f"/tmp/ipcell-{uid}"
    if os.path.lexists(first) or os.path.lexists(last):
        raise cli_test.Skip(f"there are cells of user {uid}")
    other = cli_test.as_user(uid)
    del cells.environment["IPCELL_DIR"]
    os.chmod(cells.top, 0o755)
    runtime = os.path.join(cells.top, "runtime")
    os.mkdir(runtime, 0o700)
    cells.environment["XDG_RUNTIME_DIR"] = runtime
    try:
        if os.access("/dev/shm", os.W_OK):
            assert cells.run(*SHOW, **other).stdout == first + "\n"
            os.rmdir(first)
            os.mkdir(first, 0o700)  # root's
        # A runtime folder of another user (after su) is not taken either.
        assert cells.run(*SHOW, **other).stdout == last + "\n"
        os.chown(runtime, uid, uid)
        assert cells.run(*SHOW, **other).stdout == runtime + "/ipcell\n"
        cells.environment["XDG_RUNTIME_DIR"] = "relative"
        assert cells.run(*SHOW, **other).stdout == last + "\n"
        os.rmdir(last)
        os.symlink(cells.base, last)
        expect_failure(cells.run(*SHOW, **other), 125, first, "another user")
    finally:
        for path in (first, last):
            if os.path.islink(path):
                os.unlink(path)
            elif os.path.isdir(path):
                os.rmdir(path)


def test_no_room(cells):
    script = 'mount -t tmpfs -o size=64k,mode=700 tmpfs "$IPCELL_DIR" && exec "$@"'
    wrapper = ["unshare", "--mount", "sh", "-c", script, "sh"]
    if os.geteuid() != 0:
        wrapper[1:1] = ["--user", "--map-root-user"]
    options = {"env": cells.environment, "capture_output": True, "text": True, "check": False}
    if subprocess.run([*wrapper, "true"], **options).returncode != 0:
        raise cli_test.Skip("no filesystem of our own to fill")
    result = subprocess.run([*wrapper, cli_test.IPCELL, "run", "--", "true"], **options)
    expect_failure(result, 125, cells.base, "full", "IPCELL_DIR")
    # Nothing of the attempt is left to take the little room there is.
    tell = 'ipcell=$1; "$ipcell" run -- true 2>/dev/null; ls -A "$IPCELL_DIR"'
    result = subprocess.run([*wrapper, "sh", "-c", tell, "sh", cli_test.IPCELL], **options)
    assert result.stdout == "", result
    result = subprocess.run([*wrapper, cli_test.IPCELL, "doctor"], **options)
    assert result.returncode == 1 and "WARN  room" in result.stdout, result.stdout


def test_file_size_limit(cells):
    result = cells.run(
        "true", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
    expect_failure(result, 125, "ulimit -f")
    assert cells.entries() == []


cli_test.main()

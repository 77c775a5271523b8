"""A folder of cells that cannot be used: the program goes on without System V IPC, and its user is
told why."""

import os

import preload
from preload import expect_refusal


def test_unwritable(place):
    if os.geteuid() != 0:
        os.mkdir(place.base, 0o500)
        expect_refusal(place, place.base, "it cannot be written to")
        return
    # Root may write anywhere.
    os.mkdir(place.base)
    os.chown(place.base, preload.OTHER_USER, preload.OTHER_USER)
    os.chmod(place.base, 0o500)
    expect_refusal(place, place.base, "it cannot be written to", preexec_fn=preload.become_other_user)


def test_file_in_its_place(place):
    with open(place.base, "w", encoding="ascii") as file:
        file.write("something else")
    expect_refusal(place, place.base, "it is not a folder")
    with open(place.base, encoding="ascii") as file:
        assert file.read() == "something else"


def test_fifo_in_its_place(place):
    os.mkfifo(place.base)
    expect_refusal(place, place.base, "it is not a folder")


def test_symbolic_link_in_its_place(place):
    os.mkdir(place.top + "/elsewhere", 0o700)
    os.symlink(place.top + "/elsewhere", place.base)
    expect_refusal(place, place.base, "symbolic link")
    assert not os.listdir(place.top + "/elsewhere")


def test_of_another_user(place):
    preload.needs_root()
    os.mkdir(place.base, 0o700)
    os.chown(place.base, preload.OTHER_USER, -1)
    expect_refusal(place, place.base, "it belongs to another user")
    assert not os.listdir(place.base)


def test_writable_by_others(place):
    os.mkdir(place.base)
    os.chmod(place.base, 0o777)
    expect_refusal(place, place.base, "others may write to it")


def test_parent_is_missing(place):
    place.base += "/of/nothing"
    expect_refusal(place, place.base, "its parent is missing")


def test_relative_path(place):
    place.base = "some/folder"
    expect_refusal(place, place.base, "must be an absolute path")


def test_bad_cell_name(place):
    os.mkdir(place.base, 0o700)
    for name in ("../other", ".hidden", "two words", "a/b", "\x1b[2J", "x" * 65):
        expect_refusal(place, "this cannot be a cell's name", env=place.environment(IPCELL_CELL=name))
    assert not os.listdir(place.base)


def test_bad_mode(place):
    os.mkdir(place.base, 0o700)
    for mode in ("0644", "0640", "0400"):
        expect_refusal(place, "this cannot be a cell's mode", env=place.environment(IPCELL_MODE=mode))
    assert not os.listdir(place.base)


def test_something_in_the_place_of_the_cell_folder(place):
    os.mkdir(place.base, 0o700)
    folder = os.path.dirname(place.cell)
    with open(folder, "wb"):
        pass
    expect_refusal(place, folder, "it is not a folder")
    os.unlink(folder)
    os.symlink("/tmp", folder)
    expect_refusal(place, folder, "symbolic link")


def test_limits_of_the_process(place):
    """A cell's file is large, though sparse: what bounds that bounds nothing else."""
    for limit, words in ((("-f", "1000"), "RLIMIT_FSIZE"), (("-v", "1000000"), "RLIMIT_AS")):
        script = 'ulimit "$1" "$2"; shift 2; exec "$@"'
        result = place.run("sh", "-c", script, "sh", *limit, "ipcmk", "-Q")
        preload.expect_no_crash(result)
        assert result.returncode == 1 and words in result.stderr, result
    assert place.run("ipcmk", "-Q").returncode == 0


def test_no_descriptors_left(place):
    """Attaching needs one, for a moment, and shared memory two."""
    script = "ulimit -n 16; exec perl -e '1 while open $h[@h], q(<), q(/dev/null); exit(defined msgget(0, 0600) && " \
             "shmread(shmget(0, 9, 0600), $text, 0, 9) ? 0 : 3)'"
    result = place.run("sh", "-c", script)
    assert (result.returncode, result.stderr) == (0, ""), result


def test_two_programs_may_make_it_at_once(place):
    shells = [place.shell() for _ in range(8)]
    for shell in shells:
        shell.start("get", 4711)
    assert [shell.answer() for shell in shells] == [0] * 8
    assert os.stat(place.base).st_mode & 0o777 == 0o700
    assert os.stat(place.cell).st_mode & 0o777 == 0o600
    assert os.listdir(os.path.dirname(place.cell)) == ["cell"]


preload.main()

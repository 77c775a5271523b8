"""The cell's file is cut off, or removed, while programs have it mapped: their calls fail, and they
go on."""

import os
import time

import preload


def expect_damage(shell, *words):
    answer = shell.call(*words)
    assert answer in ("EIO", "ENOSYS"), f"{words} answered {answer}"


def end_with_word(shell):
    status, said = shell.end()
    assert status == 0, (status, said)
    assert "ipcell: this cell is damaged and refuses further calls: " in said, said
    assert "cut it off" in said, said


def test_cut_off_at_any_length(place):
    for length in (0, 1, 4096, 1 << 16, 1 << 20, 1 << 24):
        place.make_cell()
        shell = place.shell()
        assert shell.call("get", 100) == 0
        assert shell.call("send", 0, 1, 4000) == 0
        os.truncate(place.cell, length)
        answers = [shell.call(*words) for words in (
            ("send", 0, 1, 100), ("try", 0, 0), ("try", 0, 0), ("stat", 0), ("get", 100), ("get", 101), ("remove", 0))]
        assert "EIO" in answers or "ENOSYS" in answers, (length, answers)
        expect_damage(shell, "get", 100)
        end_with_word(shell)
        os.unlink(place.cell)


def test_all_of_many_programs_go_on(place):
    place.make_cell()
    shells = [place.shell() for _ in range(4)]
    for shell in shells:
        assert shell.call("stat", 0) == 1
    os.truncate(place.cell, 0)
    for shell in shells:
        shell.start("try", 0, 0)
    for shell in shells:
        shell.answer()
        expect_damage(shell, "try", 0, 0)
        end_with_word(shell)


def test_sleepers_return(place):
    place.make_cell()
    shell = place.shell()
    assert shell.call("try", 0, 0) == 100
    shell.start("receive", 0, 0)
    time.sleep(0.3)
    os.truncate(place.cell, 0)
    assert shell.answer() in ("EIO", "ENOSYS", "EIDRM")
    expect_damage(shell, "get", 100)
    end_with_word(shell)


def test_removed(place):
    """Who has the cell keeps it; who comes later gets a new one."""
    place.make_cell()
    first, second = place.shell(), place.shell()
    assert first.call("stat", 0) == second.call("stat", 0) == 1
    os.unlink(place.cell)
    assert first.call("send", 0, 1, 10) == 0
    assert second.call("stat", 0) == 2
    later = place.shell()
    assert later.call("stat", 0) == "EINVAL"
    for shell in (first, second, later):
        assert shell.end() == (0, "")


def test_programs_own_handler_is_left_alone(place):
    """A fault of the program's own is still its own."""
    if not os.path.exists("/usr/bin/perl"):
        raise preload.Skip("there is no perl")
    place.make_cell()
    script = "msgget(100, 0600); $SIG{BUS} = sub { print qq(own\\n); exit 3 }; kill BUS => $$; sleep 5"
    result = place.run("perl", "-e", script)
    assert (result.returncode, result.stdout) == (3, "own\n"), result


preload.main()

"""`ipcell run --deny`: the kernel's own IPC answers ENOSYS, everything else as ever."""

import errno
import os

import cli_test


def answers(result):
    assert result.returncode == 0, (result.returncode, result.stderr)
    return dict(line.rsplit(" ", 1) for line in result.stdout.splitlines())


def test_every_call_is_denied(cells):
    denied = answers(cells.call("run", "--deny", "--", cli_test.PROBE))
    assert len(denied) >= 18
    others = {name: number for name, number in denied.items() if int(number) != errno.ENOSYS}
    assert not others, others


def test_probe_sees_the_kernel_otherwise(cells):
    # The probe would notice: without --deny its calls are made.
    open_to_all = answers(cells.run(cli_test.PROBE))
    if all(int(number) == errno.ENOSYS for number in open_to_all.values()):
        raise cli_test.Skip("this kernel has no IPC of its own")
    assert open_to_all["msgctl"] == str(errno.EINVAL), open_to_all
    assert open_to_all["msgget"] == str(errno.ENOENT), open_to_all


def test_children_inherit_it(cells):
    denied = answers(cells.call("run", "--deny", "--", "sh", "-c", 'env -i "$0"', cli_test.PROBE))
    assert set(denied.values()) == {str(errno.ENOSYS)}, denied


def test_the_rest_works(cells):
    result = cells.call("run", "--deny", "--", "sh", "-c", "echo hello | cat; exit 7")
    assert (result.returncode, result.stdout) == (7, "hello\n"), result
    status = cells.call("run", "--deny", "--", "cat", "/proc/self/status").stdout
    assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status, status


def test_only_on_request(cells):
    own = "".join(line for line in open("/proc/self/status", encoding="ascii") if line.startswith(("NoNew", "Seccomp:")))
    status = cells.run("cat", "/proc/self/status").stdout
    assert own in status.replace("Seccomp_filters", "") or all(line in status for line in own.splitlines())


def test_warns_of_a_static_program(cells):
    result = cells.run(cli_test.PROBE)
    assert "ipcell: " in result.stderr and "static" in result.stderr, result.stderr
    assert os.path.basename(cli_test.PROBE) in result.stderr


def test_as_plain_user(cells):
    cli_test.needs_root()
    other = cli_test.as_user(61234)
    os.chmod(cells.top, 0o755)
    os.chown(cells.base, 61234, 61234)
    denied = answers(cells.call("run", "--deny", "--", cli_test.PROBE, **other))
    assert set(denied.values()) == {str(errno.ENOSYS)}, denied
    assert cells.entries() == []


cli_test.main()

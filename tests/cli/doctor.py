"""`ipcell doctor`: what it finds, and why a program cannot be run in a cell."""

import os
import resource
import shutil
import struct

import cli_test


def finding(result, word):
    lines = [line for line in result.stdout.splitlines() if word in line]
    assert lines, (word, result.stdout, result.stderr)
    return lines[0]


def verdict(cells, *programs, **options):
    result = cells.call("doctor", *programs, **options)
    text = result.stdout.split("\nprograms\n")[1]
    return result.returncode, text


def write_program(cells, name, text, mode=0o755):
    path = os.path.join(cells.top, name)
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    os.chmod(path, mode)
    return path


def test_sections(cells):
    result = cells.call("doctor")
    for word in ("futex_waitv", "robust futexes", "seccomp filters", "MADV_POPULATE_WRITE", "System V IPC",
                 "POSIX message queues", "room", "POSIX names", "file size", "address space", "library"):
        finding(result, word)
    assert "cells go here, as IPCELL_DIR says" in finding(result, cells.base)
    assert result.returncode in (0, 1)
    bad = [line for line in result.stdout.splitlines() if line.startswith(("  WARN", "  BAD"))]
    assert (result.returncode == 1) == bool(bad), result.stdout
    assert cells.entries() == []


def test_denied_kernel_ipc(cells):
    cli_test.needs_plain_build()
    result = cells.call("run", "--deny", "--", cli_test.IPCELL, "doctor")
    assert "the kernel has none" in finding(result, "System V IPC"), result.stdout
    assert "the kernel has none" in finding(result, "POSIX message queues")


def test_bad_folder(cells):
    os.chmod(cells.base, 0o777)
    result = cells.call("doctor")
    assert result.returncode == 1
    assert "BAD" in finding(result, cells.base) and "chmod" in finding(result, cells.base)


def test_folder_that_would_be_made(cells):
    cells.environment["IPCELL_DIR"] = os.path.join(cells.top, "new")
    result = cells.call("doctor")
    assert "cells go here" in finding(result, cells.environment["IPCELL_DIR"])
    assert not os.path.exists(cells.environment["IPCELL_DIR"])


def test_candidates(cells):
    del cells.environment["IPCELL_DIR"]
    text = cells.call("doctor").stdout
    assert "/dev/shm/ipcell-" in text and "/tmp/ipcell-" in text and "XDG_RUNTIME_DIR" in text


def test_limits(cells):
    cli_test.needs_plain_build()

    def limit(what):
        return {"preexec_fn": lambda: resource.setrlimit(what, (1 << 28, resource.RLIM_INFINITY))}

    for what, word in ((resource.RLIMIT_FSIZE, "file size"), (resource.RLIMIT_AS, "address space")):
        result = cells.call("doctor", **limit(what))
        assert result.returncode == 1 and "BAD" in finding(result, word), result.stdout
        result = cells.run("true", **limit(what))
        cli_test.expect_failure(result, 125, "ulimit")
        assert cells.entries() == []


def test_good_programs(cells):
    script = write_program(cells, "script", "#!/usr/bin/env -S sh -e\nexit 0\n")
    plain = write_program(cells, "plain", "exit 0\n")
    _, text = verdict(cells, "sh", "/bin/sh", script, plain)
    assert text.count("can be preloaded") == 4, text
    assert script + " -> " in text, text


def test_bad_programs(cells):
    script = write_program(cells, "script", "#!" + cli_test.PROBE + "\n")
    lost = write_program(cells, "lost", "#!/no/such/interpreter\n")
    closed = write_program(cells, "closed", "#!/bin/sh\n", 0o644)
    header = bytearray(64)
    header[0:7] = b"\x7fELF\x02\x01\x01"
    struct.pack_into("<HH", header, 16, 3, 0x1234)
    other = write_program(cells, "other", bytes(header))
    loop = write_program(cells, "loop", f"#!{cells.top}/loop\n")
    for program, word in ((cli_test.PROBE, "statically"), (script, "statically"), (lost, "/no/such/interpreter"),
                          (closed, "chmod"), (other, "64-bit machine 4660"), (loop, "script to script"),
                          ("no-such-program", "PATH"), (cells.top, "regular"),
                          (write_program(cells, "cut", b"\x7fELF\x02\x01\x01" + bytes(20)), "BAD"),
                          (write_program(cells, "empty", b"\x7fELF"), "can be preloaded")):
        status, text = verdict(cells, program)
        assert word in text, (program, text)
        assert word == "can be preloaded" or status == 1


def test_privileged_programs(cells):
    cli_test.needs_root()
    other = cli_test.as_user(61234)
    os.chmod(cells.top, 0o755)
    os.chown(cells.base, 61234, 61234)
    path = os.path.join(cells.top, "privileged")
    shutil.copy("/bin/true", path)
    for mode, word in ((0o4755, "setuid"), (0o2755, "setgid"), (0o755, "can be preloaded")):
        os.chmod(path, mode)
        _, text = verdict(cells, path, **other)
        assert word in text, text
        # Root gains nothing by it.
        assert "can be preloaded" in verdict(cells, path)[1]
    os.chmod(path, 0o4755)
    result = cells.run(path, **other)
    assert "setuid" in result.stderr and "will not see the cell" in result.stderr, result.stderr
    # Under --deny the kernel gives no privileges, and the loader preloads.
    assert cells.call("run", "--deny", "--", path, **other).stderr == ""
    os.chmod(path, 0o711)
    assert "readable" in verdict(cells, path, **other)[1]


cli_test.main()

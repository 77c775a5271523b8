"""Programs beside other libraries: preloaded before and behind ours, in a cell and around one, or
built into the program.

ALL_CALLS is the program of all_calls.c; ALL_CALLS_CXX that of all_calls_cxx.cc; ALL_CALLS_ASAN and
ALL_CALLS_UBSAN the first one, built with a sanitizer, or empty. Debian's packages bring the
libraries; a test whose library is not there is skipped.
"""

import glob
import os
import shutil
import subprocess
import tempfile

import preload

IPCELL, LIBRARY = os.environ["IPCELL"], os.environ["IPCELL_LIBRARY"]
ALL_CALLS = os.environ["ALL_CALLS"]


def library(pattern):
    found = sorted(glob.glob(f"/usr/lib/*/{pattern}"))
    if not found:
        raise preload.Skip(f"there is no {pattern}; scripts/setup --tests installs it")
    return found[0]


def run(place, *command, **changes):
    """In a fresh cell, with the kernel's IPC denied."""
    os.makedirs(place.base, mode=0o700, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if name not in ("IPCELL_CELL", "LD_PRELOAD")}
    return subprocess.run(
        [IPCELL, "run", "--deny", "--", *command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=3 * preload.PATIENCE, check=False, env=dict(kept, LC_ALL="C", IPCELL_DIR=place.base, **changes))


def expect_fine(result, output="fine\n"):
    assert (result.returncode, result.stdout, result.stderr) == (0, output, ""), result


def expect_beside(place, other):
    # Around the cell: behind ours, by the command. In it: alone, before, behind.
    expect_fine(run(place, ALL_CALLS, LD_PRELOAD=other))
    for order in (other, f"{other}:{LIBRARY}", f"{LIBRARY}:{other}"):
        expect_fine(run(place, "env", f"LD_PRELOAD={order}", ALL_CALLS))


def test_jemalloc(place):
    expect_beside(place, library("libjemalloc.so.2"))


def test_tcmalloc(place):
    expect_beside(place, library("libtcmalloc_minimal.so.4"))


def test_faketime(place):
    other = library("faketime/libfaketimeMT.so.1")
    for time in ("@2001-02-03 04:05:06", "2001-02-03 04:05:06"):  # one that goes on, and one that stands still
        os.environ["FAKETIME"] = time
        try:
            expect_beside(place, other)
        finally:
            del os.environ["FAKETIME"]


def test_asan_preloaded(place):
    needs("ALL_CALLS_ASAN")
    expect_beside(place, library("libasan.so.*"))


FAKED = """
touch owned; chown 123:456 owned; stat -c '%u:%g' owned
env -i stat -c '%u:%g' owned; ipcmk -Q >/dev/null && ipcs -q | tail -n 2 | wc -l; "$0"
"""


def test_fakeroot(place):
    """It talks to its daemon by message queues, which are the cell's."""
    if shutil.which("fakeroot-sysv") is None:
        raise preload.Skip("there is no fakeroot-sysv")
    with tempfile.TemporaryDirectory(dir=place.top) as folder:
        result = run(place, "sh", "-c", 'cd "$1" && exec fakeroot-sysv sh -c "$2" "$3"', "sh", folder, FAKED, ALL_CALLS)
    expect_fine(result, "123:456\n123:456\n2\nfine\n")


def needs(name):
    if not os.environ[name]:
        raise preload.Skip("the compiler cannot build it")
    return os.environ[name]


def test_asan_built_in(place):
    program = needs("ALL_CALLS_ASAN")
    expect_fine(run(place, program))
    expect_fine(run(place, "sh", "-c", 'env -i PATH="$PATH" "$0"', program))
    found = run(place, program, "overflow")
    assert found.returncode != 0 and "heap-buffer-overflow" in found.stderr, found


def test_ubsan_built_in(place):
    program = needs("ALL_CALLS_UBSAN")
    expect_fine(run(place, program))


def test_own_cxx_library(place):
    expect_fine(run(place, os.environ["ALL_CALLS_CXX"]))


def test_not_preloaded(place):
    """By dlopen the loader refuses it, and says why."""
    result = place.run("python3", "-c", "import ctypes, sys; ctypes.CDLL(sys.argv[1])", LIBRARY,
                       env=dict(os.environ, LC_ALL="C"))
    assert "static TLS" in result.stderr or result.returncode == 0, result


preload.main()

"""A large job that does no IPC runs in a cell as it does without one: a git clone of this project,
meson, ninja and the compiler, tar, find, perl and bash over what they made. Both runs have to print
the same and to leave the same files behind. `--deny` is on: whatever would reach the kernel's IPC
shows.
"""

import difflib
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

IPCELL = os.environ["IPCELL"]
SOURCE = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 100.0  # seconds for one run

# In an empty folder; the argument is the project.
JOB = r"""
set -eu
export LC_ALL=C TZ=UTC GIT_CONFIG_NOSYSTEM=1 HOME=$PWD SOURCE_DATE_EPOCH=1
if git -C "$1" rev-parse --git-dir >/dev/null 2>&1; then
  git -c safe.directory='*' clone --quiet --no-hardlinks "$1" clone
  git -C clone log --format='%H %s' | head -50
  git -C clone status --short
  git -C clone fsck --no-progress
  git -C clone grep -c include -- '*.h' | head -50
else
  cp -r "$1/tests" clone
fi
mkdir src
cp "$1"/tests/conformance/*.[ch] src
cat > src/meson.build <<'END'
project('job', 'c', default_options: ['c_std=gnu11'])
names = run_command('sh', '-c', 'ls msgget_*.c semop_*.c ftok.c', check: true).stdout().split()
foreach name : names
  executable(name.split('.')[0], name, c_args: '-D_GNU_SOURCE', dependencies: dependency('threads'))
endforeach
END
meson setup build src >/dev/null
ninja -C build | grep -c Linking || ninja -C build
tar cf - --sort=name --mtime=@0 clone/* src | tar tf - | sort | sha256sum
tar cf all.tar --sort=name --mtime=@0 --exclude=.git src
tar xf all.tar --one-top-level=unpacked
diff -r src unpacked/src
find . -xdev -path ./clone/.git -prune -o -path ./build/meson-\* -prune -o -printf '%P %y %m %n\n' | sort | head -2000
find src -name '*.c' -print0 | xargs -0 -P 4 -n 8 cksum | sort
perl -MFile::Find -e 'find(sub { $size += -s if -f; $files++ }, "src"); print "$files $size\n"'
bash -c 'shopt -s globstar; cd src; for f in **/*.c; do read -r line < "$f"; echo "$f: ${#line}"; done | sort | head -100'
python3 -c 'import os; print(sorted(os.listdir("src"))[:20]); print(len([f for d in os.walk("src") for f in d[2]]))'
mkfifo pipe
(sort src/*.h > pipe &) ; sha256sum < pipe
rm -rf all.tar unpacked pipe
"""


def run(wrapper, folder):
    """Runs the job in `folder`, which is emptied first: what it printed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    process = subprocess.run(
        wrapper + ["bash", "-c", JOB, "job", str(SOURCE)], cwd=folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, check=False)
    return [*process.stdout.splitlines(), f"(status {process.returncode})"]


def built_files(folder):
    """What was built, with its hash."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "build").glob("*")) if path.is_file() and os.access(path, os.X_OK)}


def main():
    missing = [name for name in ("git", "meson", "ninja", "cc", "perl") if shutil.which(name) is None]
    if missing:
        print("skipped: not installed:", *missing)
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="ipcell-job-") as base:
        # The same path for both: it gets into what the compiler writes.
        folder = pathlib.Path(base) / "job"
        outside = run([], folder)
        files = built_files(folder)
        # A place of its own: what other cells there are is no part of the job.
        cells = pathlib.Path(base) / "cells"
        cells.mkdir(mode=0o700)
        inside = run(["env", f"IPCELL_DIR={cells}", IPCELL, "run", "--deny", "--"], folder)
        difference = list(difflib.unified_diff(outside, inside, "outside", "in a cell", lineterm=""))
        print("\n".join(difference))
        is_same = built_files(folder) == files
        print(f"{len(outside)} lines, {len(files)} programs; {'the same' if is_same else 'others'} in a cell")
        if difference or not is_same or not files or outside[-1] != "(status 0)":
            print("\n".join(outside[-5:]))
            sys.exit(1)


main()

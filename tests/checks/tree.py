"""Support for the checks: the project's files."""

import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def tracked_files():
    """Paths, relative to ROOT, of what belongs to the project: tracked, or new and not ignored. In a
    tree without git: all but build folders."""
    listing = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False) if os.path.exists(
            os.path.join(ROOT, ".git")) else None
    if listing is not None and listing.returncode == 0:
        paths = [os.fsdecode(path) for path in listing.stdout.split(b"\0") if path]
    else:
        paths = []
        for folder, folders, files in os.walk(ROOT):
            folders[:] = [name for name in folders
                          if name not in (".git", "__pycache__") and not name.startswith("build")]
            paths += [os.path.relpath(os.path.join(folder, name), ROOT) for name in files]
    return sorted(path for path in paths if os.path.isfile(os.path.join(ROOT, path)))


def sources(*folders, suffixes=(".cc", ".h", ".c")):
    return [path for path in tracked_files()
            if path.endswith(suffixes) and (not folders or path.split("/")[0] in folders)]


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def finish(faults, praise):
    """Ends the check."""
    print("\n".join(faults) if faults else praise)
    sys.exit(1 if faults else 0)

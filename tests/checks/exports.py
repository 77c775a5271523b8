"""What libipcell.so shows and needs: it exports exactly the names of the lists, unversioned, and
needs libc alone.

    exports.py NM READELF LIBIPCELL LIST...
"""

import os
import re
import subprocess
import sys

import tree

NEEDED = re.compile(r"\(NEEDED\).*\[(.+)\]")
LIBRARIES = re.compile(r"libc\.so\.6|ld-linux.*\.so\.\d+")
# Weak references that the compiler's start files put into every shared object, and glibc's way to
# unwind a cancelled thread.
KNOWN_WEAK = {
    "_ITM_deregisterTMCloneTable", "_ITM_registerTMCloneTable", "__cxa_finalize", "__gmon_start__",
    "__pthread_unwind_next",
}


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def read_lists(paths):
    """The names of all lists, and what is wrong with the lists."""
    names, faults = [], []
    for path in paths:
        with open(path, encoding="ascii") as file:
            here = [line.strip() for line in file if line.strip()]
        if here != sorted(here):
            faults.append(f"{os.path.basename(path)} is not sorted")
        names += here
    faults += [f"{name} is listed twice" for name in sorted(set(names)) if names.count(name) > 1]
    return set(names), faults


def dynamic_symbols(nm, library):
    """(name, version with its @ signs, type) of each."""
    for line in output(nm, "--dynamic", "--format=posix", library).splitlines():
        full_name, kind = line.split()[:2]
        name, at, version = full_name.partition("@")
        yield name, at + version, kind


def judge_symbols(nm, library, listed):
    faults, exported = [], set()
    for name, version, kind in dynamic_symbols(nm, library):
        is_undefined = kind in "Uwv"
        is_cpp = name.startswith(("_Z", "__cxa", "__gxx", "_Unwind")) and name not in KNOWN_WEAK
        if is_undefined and is_cpp:
            faults.append(f"{name} is needed: a symbol of the C++ library")
        elif kind in "wv" and name not in KNOWN_WEAK:
            faults.append(f"{name} is needed weakly")
        if is_undefined:
            continue
        exported.add(name)
        if version:
            faults.append(f"{name}{version} is versioned: programs that ask for a glibc version would not find it")
        if kind not in "Ti":
            faults.append(f"{name} is exported as '{kind}', not as a plain function")
    faults += [f"{name} is exported, but on no list" for name in sorted(exported - listed)]
    faults += [f"{name} is listed, but not exported" for name in sorted(listed - exported)]
    return faults


def main():
    nm, readelf, library = sys.argv[1:4]
    listed, faults = read_lists(sys.argv[4:])
    faults += judge_symbols(nm, library, listed)
    needed = NEEDED.findall(output(readelf, "--dynamic", library))
    faults += [f"{name} is needed: the library may need libc alone" for name in needed if not LIBRARIES.fullmatch(name)]
    tree.finish(faults, f"{len(listed)} names are exported; needed is {' '.join(needed)}")


main()

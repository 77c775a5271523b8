"""The layers: which folder's files may include which others'. See docs/ARCHITECTURE.md."""

import os
import re

import tree

# A layer is the longest of these that a path starts with; it includes itself and what stands here.
LAYERS = {
    "core/base/": (),
    "core/cell/": ("core/base/",),
    "core/syscalls.h": ("core/base/", "core/cell/"),
    "core/ipc/": ("core/base/", "core/cell/", "core/syscalls.h"),
    "interpose/": ("core/",),
    "cli/": ("core/",),
}

# What the core may include of the system: types, constants, and headers of the compiler's own. To
# be preloaded anywhere it must need nothing of a library but what core_symbols.list names.
CORE_HEADERS = {
    "cerrno", "cstddef", "cstdint", "initializer_list", "type_traits",
    "errno.h", "fcntl.h", "limits.h", "sched.h", "signal.h", "stddef.h", "stdint.h", "time.h",
    "sys/file.h", "sys/ipc.h", "sys/mman.h", "sys/msg.h", "sys/resource.h", "sys/sem.h", "sys/shm.h",
    "sys/stat.h", "sys/statfs.h", "sys/syscall.h", "sys/sysmacros.h",
}
CORE_HEADER_FOLDERS = ("linux/", "asm/")
# The token is a robust mutex: nothing else is.
CORE_EXCEPTIONS = {"core/cell/liveness.cc": {"pthread.h"}}

# What would bring the C++ library or its exceptions into programs that have neither.
INTERPOSE_FORBIDDEN = {
    "iostream", "fstream", "sstream", "ostream", "istream", "string", "string_view", "vector", "map",
    "set", "unordered_map", "unordered_set", "list", "deque", "memory", "functional", "mutex",
    "thread", "condition_variable", "stdexcept", "exception", "new", "regex", "filesystem", "format",
    "locale", "stdio.h", "cstdio", "assert.h", "cassert", "syslog.h",
}

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def layer_of(path):
    return max((layer for layer in LAYERS if path.startswith(layer)), key=len, default=None)


def judge_own(path, included):
    """A fault's text, or None."""
    layer = layer_of(path)
    if not os.path.isfile(os.path.join(tree.ROOT, included)):
        return f'includes "{included}", which is no path from the top of the tree'
    allowed = (layer,) + LAYERS[layer]
    if not included.startswith(allowed):
        return f'includes "{included}": {layer} may include {", ".join(allowed)}'
    return None


def judge_system(path, included):
    if path.startswith("core/"):
        is_allowed = (included in CORE_HEADERS or included.startswith(CORE_HEADER_FOLDERS)
                      or included in CORE_EXCEPTIONS.get(path, ()))
        return None if is_allowed else f"includes <{included}>, which is not on the core's list in layers.py"
    if path.startswith("interpose/") and included in INTERPOSE_FORBIDDEN:
        return f"includes <{included}>, which needs more than libc, or may allocate"
    return None


def main():
    faults, count = [], 0
    for path in tree.sources("core", "interpose", "cli"):
        if layer_of(path) is None:
            faults.append(f"{path}: is in no layer")
            continue
        for own, system in INCLUDE.findall(tree.read(path)):
            count += 1
            fault = judge_own(path, own) if own else judge_system(path, system)
            if fault is not None:
                faults.append(f"{path}: {fault}")
    tree.finish(faults, f"{count} includes keep to their layers")


main()

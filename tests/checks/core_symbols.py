"""The core's purity: libcore.a needs only the symbols of core_symbols.list.

    core_symbols.py NM LIBCORE LIST
"""

import subprocess
import sys

import tree


def symbols(nm, archive, option):
    listing = subprocess.run([nm, "--format=posix", option, archive], stdout=subprocess.PIPE, text=True, check=True)
    # A member's own line ends in a colon.
    return {line.split()[0] for line in listing.stdout.splitlines() if line and not line.endswith(":")}


def main():
    nm, archive, list_path = sys.argv[1:]
    with open(list_path, encoding="ascii") as file:
        allowed = {line.strip() for line in file if line.strip() and not line.startswith("#")}
    needed = symbols(nm, archive, "--undefined-only") - symbols(nm, archive, "--defined-only")
    faults = [f"libcore needs {name}, which is not in core_symbols.list" for name in sorted(needed - allowed)]
    tree.finish(faults, f"libcore needs {len(needed)} symbols of others: {' '.join(sorted(needed))}")


main()

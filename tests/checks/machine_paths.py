"""Nothing in the tree speaks of one machine: its folders, or the hosts that its packages came from."""

import re

import tree

# Written so that this file is not its own finding.
PATTERNS = [
    r"/roo[t]/", r"/hom[e]/\w", r"/tmp/bash_job[s]", r"/wor[k]/(?:main|shared)",
    r"\b(?:deb|security|snapshot|archive)\.(?:debian|ubuntu)\.(?:org|com)",
    r"\bpypi\.(?:org|python\.org)", r"\bregistry\.npmjs\.org", r"\bproxy\.golang\.org",
    r"\bfiles\.pythonhosted\.org", r"\bstatic\.crates\.io",
]
ANY = re.compile("|".join(PATTERNS))


def main():
    faults, count = [], 0
    for path in tree.tracked_files():
        count += 1
        for number, line in enumerate(tree.read(path).splitlines(), 1):
            if match := ANY.search(line):
                faults.append(f"{path}:{number}: {match[0]}")
    tree.finish(faults, f"{count} files speak of no one's machine")


main()

"""Files of a size that a person can take in. Above the aim: a word; above the limit: a failure."""

import tree

AIMS = {".h": 150, ".cc": 500, ".c": 500, ".py": 500}
LIMIT = 600


def main():
    faults, longest = [], 0
    for path in tree.sources(suffixes=tuple(AIMS)):
        count = tree.read(path).count("\n")
        longest = max(longest, count)
        aim = AIMS["." + path.rsplit(".", 1)[1]]
        if count > LIMIT:
            faults.append(f"{path} has {count} lines; the limit is {LIMIT}: cut it into files of one concern each")
        elif count > aim:
            print(f"note: {path} has {count} lines; aim at {aim}")
    tree.finish(faults, f"no file has more than {LIMIT} lines; the longest has {longest}")


main()

"""What the documents point at is there: files, and functions named as `path/file.cc:function()`."""

import os
import re

import tree

# Others, such as `ipc/msg.c:do_msgsnd()`, are Linux's.
REFERENCE = re.compile(r"`((?:core|interpose|cli|tests|bench|scripts|docs)/[\w./-]*\.\w+)(?::([\w:~]+)\(\))?`")
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def judge(document):
    text = tree.read(document)
    for path, function in REFERENCE.findall(text):
        if not os.path.isfile(os.path.join(tree.ROOT, path)):
            yield f"names {path}, which is not there"
        elif function and not re.search(rf"\b{re.escape(function)}\s*\(", tree.read(path)):
            yield f"names {function}() of {path}, which is not there"
    for target in LINK.findall(text):
        if "://" in target:
            continue
        if not os.path.exists(os.path.join(tree.ROOT, os.path.dirname(document), target)):
            yield f"links to {target}, which is not there"


def main():
    documents = [path for path in tree.tracked_files() if path.endswith(".md")]
    faults = [f"{document}: {fault}" for document in documents for fault in judge(document)]
    tree.finish(faults, f"{len(documents)} documents point at what is there")


main()

"""The last process of a cell whose `ipcell run` has ended removes the cell.

One that ends without exit(3), killed or by _exit(2), leaves that to the next command.
"""

import os

import cli_test
from cli_test import Cells, wait_until

# Each leaves a process behind that waits for the end of the command's standard input.
ATTACHED = ("perl", "-e", "defined msgget(0, 0600|01000) or die $!; fork and exit 0;"
            "open STDOUT, '>/dev/null'; open STDERR, '>/dev/null'; <STDIN>; exit 0;")
IDLE = ("sh", "-c", "exec 3<&0; (read line <&3; exit 0) >/dev/null 2>&1 &")
TWO_AT_ONCE = ("sh", "-c", "exec 3<&0; cat <&3 2>/dev/null | (perl -e 'msgget 0, 01600; <STDIN>') >/dev/null 2>&1 &")
# ... and then uses the cell for the first time: it must still be there.
LATE = ("sh", "-c", "id=$(perl -e 'print msgget(1, 0600|01000)'); exec 3<&0;"
        "(read line <&3; exec perl -e 'open F, q(>), $ARGV[0]; print F msgget(1, 0);' $OUTPUT)"
        " >/dev/null 2>&1 & echo $id")


def run_and_let_go(cells, command, remaining=Cells.entries):
    reader, writer = os.pipe()
    # Denied, so that a program without the library leaves no queue in the kernel.
    result = cells.call("run", "--deny", "--", *command, stdin=reader)
    os.close(reader)
    assert result.returncode == 0, result.stderr
    assert len(cells.entries()) == 1
    os.close(writer)
    wait_until(lambda: not remaining(cells), "the last process removes the cell")
    return result.stdout


def test_process_that_used_the_cell(cells):
    run_and_let_go(cells, ATTACHED)


def test_process_that_never_used_it(cells):
    run_and_let_go(cells, IDLE, remaining=Cells.list)


def test_pipeline(cells):
    for _ in range(20):
        run_and_let_go(cells, TWO_AT_ONCE)


def test_process_that_uses_it_late(cells):
    cells.environment["OUTPUT"] = os.path.join(cells.top, "output")
    identifier = run_and_let_go(cells, LATE).strip()
    with open(cells.environment["OUTPUT"], encoding="ascii") as file:
        assert file.read() == identifier != ""


cli_test.main()

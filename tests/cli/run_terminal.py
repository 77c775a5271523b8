"""At a terminal: Ctrl-C comes once, Ctrl-Z stops the job, the terminal's settings are left alone.

The test plays the shell: a session leader with a pseudo terminal, and `ipcell run` as its job.
"""

import os
import pty
import select
import signal
import sys
import termios
import time

import cli_test
from cli_test import wait_until

# Tells each SIGINT and SIGCONT; ends on the end of input. It polls, for handlers of Python's that come
# between its last look at the flag and its next read.
COUNTER = r"""
import os, select, signal, sys
arrived = []
interrupts = 0
signal.signal(signal.SIGINT, lambda number, frame: arrived.append("interrupt"))
signal.signal(signal.SIGCONT, lambda number, frame: arrived.append("continued"))
print("ready", os.getpid(), os.getpgrp(), os.tcgetpgrp(0), flush=True)
while True:
    while arrived:
        word = arrived.pop(0)
        interrupts += word == "interrupt"
        print(word, interrupts, flush=True)
    if select.select([0], [], [], 0.02)[0]:
        line = os.read(0, 100)
        if not line:
            break
        print("got", line.decode().strip(), flush=True)
print("interrupts in all", interrupts, flush=True)
sys.exit(4)
"""


class Terminal:
    """A pseudo terminal whose session leader is a child of the test, the `shell`.

    The shell starts the command as a job in the foreground, tells on a pipe whenever the job stops
    or ends, and continues it on SIGUSR1.
    """

    def __init__(self, cells, *command):
        self.cells = cells
        self.text = ""
        events, tell = os.pipe()
        self.shell, self.master = pty.fork()
        if self.shell == 0:
            try:
                os.close(events)
                self.be_shell(command, tell)
            finally:
                os._exit(99)
        os.close(tell)
        self.events = os.fdopen(events)

    def be_shell(self, command, tell):
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        job = os.fork()
        if job == 0:
            os.setpgid(0, 0)
            os.tcsetpgrp(0, os.getpid())
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
            os.closerange(3, 64)
            os.execve(cli_test.IPCELL, [cli_test.IPCELL, "run", *cli_test.RUN_OPTIONS, "--", *command], self.cells.environment)
        while True:
            _, status = os.waitpid(job, os.WUNTRACED)
            if not os.WIFSTOPPED(status):
                os.write(tell, f"ended {os.waitstatus_to_exitcode(status)}\n".encode())
                os._exit(0)
            os.tcsetpgrp(0, os.getpgrp())
            os.write(tell, f"stopped {os.WSTOPSIG(status)}\n".encode())
            signal.sigwait([signal.SIGUSR1])
            os.tcsetpgrp(0, job)
            os.killpg(job, signal.SIGCONT)

    def type(self, keys):
        os.write(self.master, keys.encode())

    def resume(self):
        os.kill(self.shell, signal.SIGUSR1)

    def expect(self, word):
        """Reads until `word` was shown; returns its line."""
        deadline = time.monotonic() + cli_test.PATIENCE
        while True:
            while "\n" in self.text:
                line, self.text = self.text.split("\n", 1)
                if word in line:
                    return line
            assert time.monotonic() < deadline, (word, self.text)
            if select.select([self.master], [], [], 0.1)[0]:
                self.text += os.read(self.master, 4096).decode()

    def event(self):
        assert select.select([self.events], [], [], cli_test.PATIENCE)[0], "the job did nothing"
        return self.events.readline().strip()

    def close(self):
        os.kill(self.shell, signal.SIGKILL)
        os.waitpid(self.shell, 0)
        os.close(self.master)
        self.events.close()


def at_terminal(*command):
    """Makes a test of a function that wants a terminal with this command."""

    def wrap(function):
        def test(cells):
            terminal = Terminal(cells, *command)
            try:
                function(terminal)
            finally:
                terminal.close()

        return test

    return wrap


@at_terminal(sys.executable, "-c", COUNTER)
def test_interrupt_comes_once(terminal):
    _, _, group, foreground = terminal.expect("ready").split()
    assert group == foreground
    for count in (1, 2, 3):
        terminal.type("\x03")
        terminal.expect(f"interrupt {count}")
    terminal.type("\x04")
    terminal.expect("interrupts in all 3")
    assert terminal.event() == "ended 4"


@at_terminal("cat")
def test_interrupt_ends(terminal):
    terminal.type("hello\n")
    # The terminal's echo, then the program's word.
    terminal.expect("hello")
    terminal.expect("hello")
    terminal.type("\x03")
    assert terminal.event() == "ended 130"


@at_terminal(sys.executable, "-c", COUNTER)
def test_stop_and_foreground(terminal):
    terminal.expect("ready")
    for word in ("one", "two"):
        terminal.type("\x1a")
        assert terminal.event() == f"stopped {int(signal.SIGTSTP)}"
        terminal.resume()
        terminal.expect("continued")
        terminal.type(word + "\n")
        terminal.expect("got " + word)
        # Once, not twice.
        assert "continued" not in terminal.text
    terminal.type("\x04")
    terminal.expect("interrupts in all 0")
    assert terminal.event() == "ended 4"


@at_terminal("sh", "-c", 'trap "kill -STOP $$" TSTP; echo ready; while :; do read x && echo got $x; done')
def test_program_that_stops_itself_in_its_handler(terminal):
    # Editors do so: they restore the terminal first.
    terminal.expect("ready")
    terminal.type("\x1a")
    # A shell's trap runs after its read; the line lets that end.
    terminal.type("line\n")
    assert terminal.event() == f"stopped {int(signal.SIGSTOP)}"
    terminal.resume()
    terminal.type("again\n")
    terminal.expect("got again")


@at_terminal("sh", "-c", "stty -echo -icanon min 1; echo ready; exec sleep 1000")
def test_settings_are_the_programs(terminal):
    terminal.expect("ready")
    flags = termios.tcgetattr(terminal.master)[3]
    assert flags & (termios.ECHO | termios.ICANON) == 0
    terminal.type("\x03")
    assert terminal.event() == "ended 130"
    assert termios.tcgetattr(terminal.master)[3] == flags


@at_terminal("sh", "-c", "echo ready $$; exec sleep 1000")
def test_hangup_ends_it(terminal):
    pid = int(terminal.expect("ready").split()[1])
    os.kill(terminal.shell, signal.SIGKILL)
    # The kernel hangs up the terminal's foreground group when the session leader dies.
    wait_until(lambda: cli_test.is_gone(pid), "the program is gone")
    wait_until(lambda: terminal.cells.entries() == [], "the cell is removed")


cli_test.main()

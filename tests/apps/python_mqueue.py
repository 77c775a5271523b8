#!/usr/bin/env python3
# needs: python3
"""POSIX message queues from python, which has no module of its own for them: by ctypes, and with what
python does to any descriptor (selectors, asyncio, os.read, os.dup, pass_fds, signals)."""

import asyncio
import ctypes
import errno
import os
import select
import selectors
import signal
import subprocess
import sys

libc = ctypes.CDLL(None, use_errno=True)
SIZE = 64


class Attributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_long) for name in ("flags", "maxmsg", "msgsize", "curmsgs")] + [
        ("reserved", ctypes.c_long * 4)]


class Event(ctypes.Structure):
    _fields_ = [("value", ctypes.c_void_p), ("signo", ctypes.c_int), ("notify", ctypes.c_int),
                ("rest", ctypes.c_char * 48)]


def call(name, *arguments):
    ctypes.set_errno(0)
    result = getattr(libc, name)(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def make(name, flags=0, maxmsg=4):
    return call("mq_open", name.encode(), os.O_CREAT | os.O_RDWR | flags, 0o600,
                ctypes.byref(Attributes(maxmsg=maxmsg, msgsize=SIZE)))


def send(queue, text, priority=0):
    call("mq_send", queue, text.encode(), ctypes.c_size_t(len(text)), priority)


def receive(queue):
    room, priority = ctypes.create_string_buffer(SIZE), ctypes.c_uint()
    length = call("mq_receive", queue, room, ctypes.c_size_t(SIZE), ctypes.byref(priority))
    return room.raw[:length].decode(), priority.value


def line(queue):
    return os.pread(queue, 200, 0).decode().replace(str(os.getpid()), "PID").split()


def attempt(what, *arguments):
    try:
        print(what, call(what, *arguments))
    except OSError as error:
        print(what, errno.errorcode[error.errno])


def priorities():
    queue = make("/plain", os.O_NONBLOCK)
    for number, priority in enumerate((1, 3, 2, 3)):
        send(queue, f"message {number}", priority)
    print(line(queue))
    attempt("mq_send", queue, b"more", ctypes.c_size_t(4), 0)
    print([receive(queue) for _ in range(4)])
    attempt("mq_receive", queue, None, ctypes.c_size_t(SIZE), None)
    attempt("mq_unlink", b"/nothing")
    attempt("mq_open", b"/plain", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600, None)
    attributes = Attributes()
    call("mq_getattr", queue, ctypes.byref(attributes))
    print(attributes.flags == os.O_NONBLOCK, attributes.maxmsg, attributes.msgsize, attributes.curmsgs)
    os.close(queue)
    attempt("mq_getattr", queue, ctypes.byref(attributes))
    call("mq_unlink", b"/plain")


def waiting():
    """A child sends; its parent waits with each of the ways."""
    queue = make("/waiting")
    for way in (selectors.SelectSelector, selectors.PollSelector, selectors.EpollSelector):
        with way() as selector:
            selector.register(queue, selectors.EVENT_READ)
            print(way.__name__, len(selector.select(0)), end=" ")
            pid = os.fork()
            if pid == 0:
                select.select([], [], [], 0.1)
                send(queue, "from the child", 7)
                os._exit(0)
            print(len(selector.select(10)), receive(queue), len(selector.select(0)))
            os.waitpid(pid, 0)
    call("mq_unlink", b"/waiting")


def loop():
    """asyncio: two queues, each a reader's, and an echo between them."""
    first, second = make("/first", os.O_NONBLOCK), make("/second", os.O_NONBLOCK)
    got = []

    async def play():
        events = asyncio.get_running_loop()
        done = events.create_future()

        def echo():
            text, priority = receive(first)
            send(second, text.upper(), priority)

        def collect():
            got.append(receive(second))
            if len(got) == 20:
                done.set_result(None)

        events.add_reader(first, echo)
        events.add_reader(second, collect)
        for number in range(20):
            send(first, f"echo {number}", 1)
            await asyncio.sleep(0.001)
        await asyncio.wait_for(done, 10)

    asyncio.run(play())
    print(got[0], got[-1], len(got))
    call("mq_unlink", b"/first")
    call("mq_unlink", b"/second")


def programs():
    """A started program is given the descriptor, which it first waits for, or first reads."""
    queue = make("/given")
    copy = os.dup(queue)  # not inheritable, so that it is python that hands it on
    call("mq_unlink", b"/given")
    scripts = {
        "poll": "p = select.poll(); p.register(fd, 1); print('waits', p.poll(10000) == [(fd, 1)])",
        "epoll": "p = select.epoll(); p.register(fd, 1); print('waits', p.poll(10) == [(fd, 1)])",
        "read": "select.select([], [], [], 0.2); print(os.read(fd, 9))",
    }
    for name, script in scripts.items():
        child = subprocess.Popen([sys.executable, "-c", f"import os, select; fd = {copy}; {script}"],
                                 pass_fds=[copy], stdout=subprocess.PIPE, text=True)
        select.select([], [], [], 0.1)
        send(queue, name)
        print(name, child.communicate()[0].strip(), receive(queue))


def notification():
    queue = make("/told")
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    event = Event(value=1234, signo=signal.SIGUSR1, notify=0)
    call("mq_notify", queue, ctypes.byref(event))
    print(line(queue))
    attempt("mq_notify", queue, ctypes.byref(event))
    pid = os.fork()
    if pid == 0:
        send(queue, "hello")
        os._exit(0)
    told = signal.sigtimedwait([signal.SIGUSR1], 10)
    print(told.si_signo == signal.SIGUSR1, told.si_code, told.si_pid == pid, told.si_uid == os.getuid())
    os.waitpid(pid, 0)
    print(line(queue), receive(queue))
    call("mq_unlink", b"/told")


def main():
    for scene in (priorities, waiting, loop, programs, notification):
        print(scene.__name__)
        scene()
        sys.stdout.flush()


main()

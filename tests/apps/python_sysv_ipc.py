#!/usr/bin/python3
# Debian's python3-sysv-ipc: blocking, types, the fields of msqid_ds, removal under a sleeper.
import os
import signal
import threading
import time

from sysv_ipc_checks import outcome, pid_name, show, sysv_ipc, time_name

KEY = 0x5079


def show_fields(queue):
    fields = {name: getattr(queue, name) for name in ("id", "mode", "uid", "gid", "cuid", "cgid", "max_size", "current_messages")}
    fields["key"] = hex(queue.key)
    for name in ("last_send_pid", "last_receive_pid"):
        fields[name] = pid_name(getattr(queue, name))
    for name in ("last_send_time", "last_receive_time", "last_change_time"):
        fields[name] = time_name(getattr(queue, name))
    show("fields", " ".join(f"{name}={value}" for name, value in fields.items()))


def wait_for_sleep(pid, tid):
    """Until the thread sleeps, so that what follows meets it asleep."""
    for _ in range(400):
        with open(f"/proc/{pid}/task/{tid}/stat", encoding="latin-1") as file:
            state = file.read().rpartition(")")[2].split()[0]
        time.sleep(0.05)
        if state == "S":
            return
    raise AssertionError("it does not go to sleep")


def in_child(work):
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = 0 if work() else 1
        finally:
            os._exit(status)
    wait_for_sleep(pid, pid)
    return pid


def status_of(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


show("not there", outcome(sysv_ipc.MessageQueue, KEY))
queue = sysv_ipc.MessageQueue(KEY, sysv_ipc.IPC_CREX, mode=0o640)
show("there already", outcome(sysv_ipc.MessageQueue, KEY, sysv_ipc.IPC_CREX))
show("the same", sysv_ipc.MessageQueue(KEY).id == queue.id)
show_fields(queue)

show("nothing there", outcome(queue.receive, block=False))
for kind in (3, 1, 2, 1):
    queue.send(f"of type {kind}", type=kind)
show("bad type", outcome(queue.send, "text", type=0))
show_fields(queue)
for wanted in (2, -2, 0, 0, 0):
    show(f"receive {wanted}", outcome(queue.receive, type=wanted, block=False))

binary = bytes(range(256)) * 8
queue.send(binary)
show("binary", queue.receive() == (binary, 1))
show("longer than the default of 2048", outcome(queue.send, b"x" * 8193))
large = sysv_ipc.MessageQueue(KEY, max_message_size=8192)
large.send(b"y" * 8192)
show("a long one", large.receive()[0] == b"y" * 8192)
show("empty", (large.send(b""), large.receive())[1])

queue.mode = 0o600
queue.max_size = 3000
show_fields(queue)
queue.send(b"z" * 2000)
show("full", outcome(queue.send, b"z" * 2000, block=False))

# A child sleeps until there is room, another until there is a message.
sender = in_child(lambda: queue.send(b"w" * 2000, type=4) is None)
show("in the queue", queue.current_messages)
show("make room", len(queue.receive()[0]))
show("the sender's end", status_of(sender))
show("its message", queue.receive()[1])
receiver = in_child(lambda: queue.receive(type=6) == (b"for six", 6))
queue.send(b"for six", type=6)
show("the receiver's end", status_of(receiver))
show_fields(queue)

# Threads: the module lets go of the interpreter while it sleeps.
found = []
threads = [threading.Thread(target=lambda kind=kind: found.append(queue.receive(type=kind))) for kind in (7, 8, 9)]
for thread in threads:
    thread.start()
for thread in threads:
    wait_for_sleep(os.getpid(), thread.native_id)
for kind in (9, 7, 8):
    queue.send(b"thread", type=kind)
for thread in threads:
    thread.join()
show("threads", sorted(found))


class Interrupted(Exception):
    pass


def handler(number, frame):
    raise Interrupted


# The handler's exception leaves the sleep; the module would go on sleeping otherwise.
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    show("not interrupted", outcome(queue.receive))
except Interrupted:
    show("interrupted", True)

# Removal under sleepers.
sleepers = [in_child(lambda: outcome(queue.receive) == "ExistentialError") for _ in range(3)]
queue.remove()
show("sleepers of a removed queue", [status_of(pid) for pid in sleepers])
show("removed", outcome(queue.send, "text"))
show("remove again", outcome(queue.remove))
show("gone", outcome(sysv_ipc.MessageQueue, KEY))

fresh = [sysv_ipc.MessageQueue(None, sysv_ipc.IPC_CREX) for _ in range(3)]
show("ids", [each.id for each in fresh])
for each in fresh:
    sysv_ipc.remove_message_queue(each.id)
show("remove by id", outcome(sysv_ipc.remove_message_queue, fresh[0].id))

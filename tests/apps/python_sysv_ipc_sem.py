#!/usr/bin/python3
# Debian's python3-sysv-ipc: semaphores that block, time out, are undone, and are removed under a sleeper.
import os
import signal
import threading
import time

from sysv_ipc_checks import outcome, pid_name, show, sysv_ipc, time_name

KEY = 0x507953


def show_fields(semaphore):
    names = ("id", "mode", "uid", "gid", "cuid", "cgid", "value", "waiting_for_nonzero", "waiting_for_zero", "undo", "block")
    fields = {name: getattr(semaphore, name) for name in names}
    fields["key"] = hex(semaphore.key)
    fields["last_pid"] = pid_name(semaphore.last_pid)
    fields["o_time"] = time_name(semaphore.o_time)
    show("fields", " ".join(f"{name}={value}" for name, value in fields.items()))


def await_sleepers(semaphore, nonzero, zero=0):
    for _ in range(400):
        if (semaphore.waiting_for_nonzero, semaphore.waiting_for_zero) == (nonzero, zero):
            return
        time.sleep(0.02)
    raise AssertionError("they do not go to sleep")


def in_child(work):
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = 0 if work() else 1
        finally:
            os._exit(status)
    return pid


def status_of(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def killed(pid):
    os.kill(pid, signal.SIGKILL)
    return status_of(pid)


signal.alarm(40)  # nobody sleeps that long here
show("largest value", sysv_ipc.SEMAPHORE_VALUE_MAX)
show("timeouts", sysv_ipc.SEMAPHORE_TIMEOUT_SUPPORTED)
show("not there", outcome(sysv_ipc.Semaphore, KEY))
semaphore = sysv_ipc.Semaphore(KEY, sysv_ipc.IPC_CREX, mode=0o640, initial_value=2)
show("there already", outcome(sysv_ipc.Semaphore, KEY, sysv_ipc.IPC_CREX))
show("the same", sysv_ipc.Semaphore(KEY).id == semaphore.id)
show_fields(semaphore)

show("P", semaphore.P())
show("acquire", semaphore.acquire())
show("value", semaphore.value)
show("zero", semaphore.Z())
show_fields(semaphore)

semaphore.block = False
show("would block", outcome(semaphore.acquire))
show("by two", outcome(semaphore.acquire, None, 2))
semaphore.block = True
show("times out", outcome(semaphore.acquire, 0.05))
show("times out at once", outcome(semaphore.acquire, 0))
show("V", semaphore.V())
show("not zero in time", outcome(semaphore.Z, 0.05))
show("release by 3", semaphore.release(3))
show("in time", outcome(semaphore.acquire, 5, 4))
show("delta 0", outcome(semaphore.release, 0))
semaphore.value = 32767
show("above the largest", outcome(semaphore.release))


def set_value(value):
    semaphore.value = value


show("value too large", outcome(set_value, 32768))
show("value below zero", outcome(set_value, -1))
semaphore.value = 0
semaphore.mode = 0o600
show_fields(semaphore)

# Children sleep for the semaphore, and one for zero.
children = [in_child(lambda: semaphore.acquire() is None) for _ in range(4)]
await_sleepers(semaphore, 4)
show_fields(semaphore)
for _ in children:
    semaphore.release()
show("the sleepers' ends", [status_of(pid) for pid in children])
semaphore.value = 1
child = in_child(lambda: semaphore.Z() is None)
await_sleepers(semaphore, 0, 1)
semaphore.acquire()
show("who waited for zero", status_of(child))

# A lock that its holder's death gives back, and one that it doesn't.
for undo in (True, False):
    semaphore.value = 1
    reader, writer = os.pipe()

    def hold():
        semaphore.undo = undo
        semaphore.acquire()
        os.write(writer, b"x")
        time.sleep(30)

    holder = in_child(hold)
    os.read(reader, 1)
    show(f"held, undo {undo}", semaphore.value)
    if undo:
        waiter = in_child(lambda: semaphore.acquire(20) is None)
        await_sleepers(semaphore, 1)
    show("killed", killed(holder))
    if undo:
        show("the waiter's end", status_of(waiter))
    else:
        show("not given back", outcome(semaphore.acquire, 0.1))
    show("value", semaphore.value)

# As a context, with undo: the child leaves by an exception, another by SIGKILL inside.
semaphore.value = 1


def work_inside():
    semaphore.undo = True
    with semaphore:
        os.kill(os.getpid(), signal.SIGKILL)


def raise_inside():
    try:
        with semaphore:
            raise ValueError
    except ValueError:
        return True


show("killed inside", status_of(in_child(work_inside)))
show("value", semaphore.value)
show("left by an exception", status_of(in_child(raise_inside)))
show("value", semaphore.value)

# A killed sleeper is no sleeper.
semaphore.value = 0
child = in_child(semaphore.acquire)
await_sleepers(semaphore, 1)
show("killed", killed(child))
show("sleepers", semaphore.waiting_for_nonzero)

# Many at once: each increments a number in a file, under the lock.
semaphore.value = 1
number = os.memfd_create("number")
os.pwrite(number, b"0", 0)


def count_up():
    semaphore.undo = True
    for _ in range(300):
        with semaphore:
            os.pwrite(number, str(int(os.pread(number, 20, 0)) + 1).encode(), 0)
    return True


show("four children", [status_of(pid) for pid in [in_child(count_up) for _ in range(4)]])
show("counted", os.pread(number, 20, 0).decode())

# Threads: the module lets go of the interpreter while it sleeps.
semaphore.value = 0
found = []
threads = [threading.Thread(target=lambda: (semaphore.acquire(), found.append(1))) for _ in range(3)]
for thread in threads:
    thread.start()
await_sleepers(semaphore, 3)
semaphore.release(3)
for thread in threads:
    thread.join()
show("threads", len(found))
show_fields(semaphore)


class Interrupted(Exception):
    pass


def handler(number, frame):
    raise Interrupted


# The handler's exception leaves the sleep.
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    show("not interrupted", outcome(semaphore.acquire))
except (Interrupted, sysv_ipc.Error) as error:
    show("interrupted", type(error).__name__)
signal.signal(signal.SIGALRM, signal.SIG_DFL)
signal.alarm(40)

# Removal under sleepers.
sleepers = [in_child(lambda: outcome(semaphore.acquire) == "ExistentialError") for _ in range(3)]
await_sleepers(semaphore, 3)
semaphore.remove()
show("sleepers of a removed semaphore", [status_of(pid) for pid in sleepers])
show("removed", outcome(semaphore.acquire))
show("remove again", outcome(semaphore.remove))
show("gone", outcome(sysv_ipc.Semaphore, KEY))

fresh = [sysv_ipc.Semaphore(None, sysv_ipc.IPC_CREX) for _ in range(3)]
show("ids", [each.id for each in fresh])
for each in fresh:
    sysv_ipc.remove_semaphore(each.id)
show("remove by id", outcome(sysv_ipc.remove_semaphore, fresh[0].id))

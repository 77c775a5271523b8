#!/usr/bin/python3
# Debian's python3-sysv-ipc: segments that are attached, written, inherited, and removed while attached.
import os
import signal
import threading
import time

from sysv_ipc_checks import outcome, pid_name, show, sysv_ipc, time_name

KEY = 0x507954
SIZE = 3 * sysv_ipc.PAGE_SIZE - 100


def show_fields(segment, **known):
    names = ("id", "size", "mode", "uid", "gid", "cuid", "cgid", "attached", "number_attached")
    fields = {name: getattr(segment, name) for name in names}
    fields["key"] = hex(segment.key)
    for name in ("creator_pid", "last_pid"):
        pid = getattr(segment, name)
        fields[name] = next((who for who, its in known.items() if its == pid), pid_name(pid))
    for name in ("last_attach_time", "last_detach_time", "last_change_time"):
        fields[name] = time_name(getattr(segment, name))
    show("fields", " ".join(f"{name}={value}" for name, value in fields.items()))


class Child:
    """Does its work, and then waits to be told to go, or for SIGKILL."""

    def __init__(self, work):
        ready, self.leash = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                status = 0 if work() else 1
                os.write(ready[1], b"x")
                os.read(self.leash[0], 1)
            finally:
                os._exit(status)
        os.close(ready[1])
        os.read(ready[0], 1)
        os.close(ready[0])

    def end(self):
        os.write(self.leash[1], b"x")
        return self.status()

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        return self.status()

    def status(self):
        for end in self.leash:
            os.close(end)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])



signal.alarm(40)
show("not there", outcome(sysv_ipc.SharedMemory, KEY))
segment = sysv_ipc.SharedMemory(KEY, sysv_ipc.IPC_CREX, mode=0o640, size=SIZE)
show("there already", outcome(sysv_ipc.SharedMemory, KEY, sysv_ipc.IPC_CREX, size=SIZE))
show("larger", outcome(sysv_ipc.SharedMemory, KEY, size=SIZE + 1))
show("far too large", outcome(sysv_ipc.SharedMemory, None, sysv_ipc.IPC_CREX, size=1 << 62))
same = sysv_ipc.SharedMemory(KEY)
show("the same", same.id == segment.id)
show("attached by both", segment.number_attached)
same.detach()
show_fields(segment)
show("detach again", outcome(same.detach))
show("read of what is not attached", outcome(same.read))

# What it is filled with, and what is in it.
filled = sysv_ipc.SharedMemory(None, sysv_ipc.IPC_CREX, size=100, init_character=b".")
show("filled", filled.read())
filled.remove()
filled.detach()
show("gone", outcome(sysv_ipc.attach, filled.id))

show("blanks", segment.read() == b" " * SIZE)
segment.write(b"first")
segment.write("second", offset=sysv_ipc.PAGE_SIZE - 3)
show("read", segment.read(5))
show("over a page's end", segment.read(6, sysv_ipc.PAGE_SIZE - 3))
show("to the end", segment.read(offset=SIZE - 3))
show("more than there is", len(segment.read(SIZE + 100, 10)))
show("written over the end", outcome(segment.write, b"abc", SIZE - 2))
show("read behind the end", outcome(segment.read, 1, SIZE))
binary = bytes(range(256)) * (SIZE // 256)
segment.write(binary)
show("all of it", segment.read(len(binary)) == binary)
view = memoryview(segment)
show("as a buffer", (len(view), view[255], view.readonly))
view[0] = 77
show("written there", segment.read(1))
view.release()
buffered = bytearray(segment)
show("copied", buffered[1:4])

# Read only, and at an address.
reader = sysv_ipc.attach(segment.id, None, sysv_ipc.SHM_RDONLY)
show("read only", reader.read(3, 1))
show("attached", segment.number_attached)
address = reader.address
reader.detach()
reader.attach(address, 0)
show("at the same address", reader.address == address)
reader.detach()
show("at an odd one", outcome(reader.attach, address + 1))
reader.attach(address + 1, sysv_ipc.SHM_RND)
show("rounded", reader.address == address)
show("at an address in use", outcome(same.attach, segment.address))
reader.detach()
show_fields(segment)

# Children that attach it as well, inherit it, and detach it.
child = Child(lambda: sysv_ipc.attach(segment.id).write(b"child") is None)
show("with a child's own, and what it inherited", segment.number_attached)
show_fields(segment, child=child.pid)
show("what it wrote", segment.read(5))
show("its end", child.end())
show_fields(segment, child=child.pid)
child = Child(lambda: segment.write(b"heir!") is None)
show("with an heir", segment.number_attached)
show("killed", child.kill())
show_fields(segment, child=child.pid)
show("what it wrote", segment.read(5))
child = Child(lambda: segment.detach() is None)
show("with one that has detached", segment.number_attached)
show("its end", child.end())

# Children and a thread count, each in its own place; the sum is that of all.
segment.write(b"\0" * SIZE)


def count(place):
    for _ in range(500):
        number = int.from_bytes(segment.read(8, 8 * place), "little")
        segment.write((number + 1).to_bytes(8, "little"), 8 * place)
    return True


children = [Child(lambda place=place: count(place)) for place in range(4)]
thread = threading.Thread(target=count, args=(4,))
thread.start()
thread.join()
show("attached by all", segment.number_attached)
show("their ends", [each.end() for each in children])
show("counted", [int.from_bytes(segment.read(8, 8 * place), "little") for place in range(6)])

# A lock in one set, the number that it guards in the segment.
semaphore = sysv_ipc.Semaphore(KEY, sysv_ipc.IPC_CREX, initial_value=1)
segment.write(b"\0" * 8)


def count_together():
    for _ in range(300):
        with semaphore:
            number = int.from_bytes(segment.read(8), "little")
            segment.write((number + 1).to_bytes(8, "little"))
    return True


children = [Child(count_together) for _ in range(4)]
show("their ends", [each.end() for each in children])
show("counted together", int.from_bytes(segment.read(8), "little"))
semaphore.remove()

# What can be changed, and what not.
segment.mode = 0o600
segment.uid, segment.gid = os.getuid(), os.getgid()
show_fields(segment)

# Removed while attached: it is there for who has it, and for who knows its number.
keeper = Child(lambda: True)
segment.write(b"still here")
segment.remove()
show_fields(segment)
show("by its key", outcome(sysv_ipc.SharedMemory, KEY))
another = sysv_ipc.SharedMemory(KEY, sysv_ipc.IPC_CREX, size=10)
show("another of its key", another.id)
late = sysv_ipc.attach(segment.id)
show("by its number", late.read(10))
late.detach()
show("remove again", outcome(segment.remove))
segment.detach()
late = sysv_ipc.attach(segment.id)
show("of a child, and late again", late.number_attached)
late.detach()
show("the last is killed", keeper.kill())
show("then it is gone", outcome(sysv_ipc.attach, segment.id))
show("its fields", outcome(lambda: segment.number_attached))
another.detach()
sysv_ipc.remove_shared_memory(another.id)
show("remove by id", outcome(sysv_ipc.remove_shared_memory, another.id))

fresh = [sysv_ipc.SharedMemory(None, sysv_ipc.IPC_CREX, size=1) for _ in range(3)]
show("ids", [each.id for each in fresh])
show("sizes", [each.size for each in fresh])
for each in fresh:
    each.detach()
    each.remove()

#!/usr/bin/env python3
"""What multiprocessing builds on named semaphores and shm_open: locks, queues, pools, shared memory,
between processes that were forked and that were started afresh. Value, Array and Barrier keep their
memory in a file, in /dev/shm or, if there is no room, in the temporary folder."""

import multiprocessing
import queue
from multiprocessing import shared_memory

ROUNDS = 300


def add_up(lock, name):
    memory = shared_memory.SharedMemory(name)
    for _ in range(ROUNDS):
        with lock:
            count = int.from_bytes(memory.buf[:4], "little")
            memory.buf[:4] = (count + 1).to_bytes(4, "little")
    memory.close()


def square(number):
    return number * number


def serve(requests, answers, permits):
    while (number := requests.get()) is not None:
        with permits:
            answers.put((number, number + 1))


def store(name, is_stored):
    memory = shared_memory.SharedMemory(name)
    memory.buf[:5] = b"child"
    memory.close()
    with is_stored:
        is_stored.notify()


def fill(total, letters, barrier):
    barrier.wait()
    for _ in range(ROUNDS):
        with total.get_lock():
            total.value += 1
    letters[barrier.wait()] = b"x"


def show(what, value):
    print(f"{what}: {value}", flush=True)


def use_locks(context):
    lock, counter = context.Lock(), shared_memory.SharedMemory(create=True, size=4)
    workers = [context.Process(target=add_up, args=(lock, counter.name)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    show("counted", (int.from_bytes(counter.buf[:4], "little"), [worker.exitcode for worker in workers]))
    counter.close()
    counter.unlink()

    semaphore = context.BoundedSemaphore(2)
    show("taken", [semaphore.acquire(timeout=0.01) for _ in range(3)])
    semaphore.release()
    semaphore.release()
    try:
        semaphore.release()
    except ValueError as error:
        show("bounded", error)
    event = context.Event()
    show("event", (event.wait(0.01), event.set(), event.wait(1)))


def use_queues(context):
    requests, answers, permits = context.Queue(5), context.Queue(), context.Semaphore(2)
    servers = [context.Process(target=serve, args=(requests, answers, permits)) for _ in range(3)]
    for server in servers:
        server.start()
    for number in range(40):
        requests.put(number)
    show("answers", sorted(answers.get() for _ in range(40)) == [(n, n + 1) for n in range(40)])
    for _ in servers:
        requests.put(None)
    for server in servers:
        server.join()
    try:
        answers.get_nowait()
    except queue.Empty:
        show("queue", "empty")
    with context.Pool(3) as pool:
        show("pool", pool.map(square, range(10)))


def use_memory(context):
    memory = shared_memory.SharedMemory(create=True, size=4096)
    is_stored = context.Condition()
    child = context.Process(target=store, args=(memory.name, is_stored))
    with is_stored:
        child.start()
        is_stored.wait()
    show("memory", bytes(memory.buf[:6]))
    child.join()
    try:
        shared_memory.SharedMemory(memory.name, create=True, size=1)
    except FileExistsError:
        show("memory", "its name is taken")
    memory.close()
    memory.unlink()
    numbers = shared_memory.ShareableList([1, "two", 3.0])
    other = shared_memory.ShareableList(name=numbers.shm.name)
    other[0] = 11
    show("list", list(numbers))
    for part in (other, numbers):
        part.shm.close()
    numbers.shm.unlink()
    try:
        shared_memory.SharedMemory("no-such-memory")
    except FileNotFoundError:
        show("memory", "no such")


def use_values(context):
    total, letters, barrier = context.Value("i", 0), context.Array("c", 3), context.Barrier(3)
    workers = [context.Process(target=fill, args=(total, letters, barrier)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    show("values", (total.value, letters.raw, [worker.exitcode for worker in workers]))


def main():
    for method in ("fork", "spawn"):
        show("method", method)
        context = multiprocessing.get_context(method)
        use_locks(context)
        use_queues(context)
        use_memory(context)
        use_values(context)


if __name__ == "__main__":
    main()

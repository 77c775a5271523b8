#!/usr/bin/python3
# PostgreSQL with all of its shared memory in System V segments: pgbench, parallel queries, a crash of
# a backend, and one of the postmaster, which leaves backends behind. As long as one of these is
# attached, another postmaster must not start.
# needs: ipcs timeout
# not as root
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

CONFIGURATION = """
shared_memory_type = sysv
dynamic_shared_memory_type = sysv
shared_buffers = 16MB
listen_addresses = ''
unix_socket_directories = '{folder}'
autovacuum = off
max_logical_replication_workers = 0
jit = off
fsync = off
"""
PARALLEL = """
set max_parallel_workers_per_gather = 2;
set max_parallel_maintenance_workers = 2;
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0;
set min_parallel_table_scan_size = 0;
"""
# What pgbench keeps equal.
SUMS = """
select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history),
       (select sum(bbalance) from pgbench_branches) = (select sum(delta) from pgbench_history),
       (select sum(tbalance) from pgbench_tellers) = (select sum(delta) from pgbench_history),
       (select count(*) from pgbench_history)
"""


def show(what, value="yes"):
    print(f"{what}: {value}", flush=True)


def await_that(what, condition):
    """The condition's value, as soon as it is a true one."""
    for _ in range(300):
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"never: {what}")


def segments():
    """How often each is attached, by its id."""
    lines = subprocess.run(["ipcs", "-m"], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    rows = [line.split() for line in lines if line.startswith("0x")]
    return {int(row[1]): int(row[5]) for row in rows}


def processes():
    """Every process' parent."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                state, parent = file.read().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state not in "ZX":
            parents[int(name)] = int(parent)
    return parents


def folder_of(pid):
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""


class Server:
    def __init__(self, programs, folder):
        self.programs = programs
        self.folder = folder
        self.data = os.path.join(folder, "data")
        self.log = os.path.join(folder, "log")
        self.postmaster = None
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        self.environment = dict(kept, HOME=folder, PGHOST=folder, PGUSER="tester", PGDATABASE="postgres")

    def command(self, name, *arguments):
        return [os.path.join(self.programs, name), *arguments]

    def run(self, name, *arguments, status=0):
        """What it printed, on both outputs."""
        result = subprocess.run(
            self.command(name, *arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, env=self.environment, cwd=self.folder, check=False)
        if result.returncode != status:
            raise AssertionError(f"{name}: status {result.returncode}: {result.stdout}")
        return result.stdout.strip()

    def query(self, *statements):
        options = [f"--command={statement}" for statement in statements]
        return self.run("psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1",
                        *options)

    def make(self):
        said = self.run("initdb", f"--pgdata={self.data}", "--username=tester", "--auth=trust", "--no-sync",
                        "--no-locale", "--encoding=UTF8", "--no-instructions")
        # It takes what a server of such a configuration could start with.
        print("\n".join(re.findall("selecting default .*", said)))
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(folder=self.folder))

    def start(self):
        with open(self.log, "w", encoding="utf-8") as log:
            self.postmaster = subprocess.Popen(
                self.command("postgres", "-D", self.data), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.environment, cwd=self.folder)
        self.await_ready()

    def await_ready(self):
        ready = self.command("pg_isready", "--quiet")
        await_that("ready", lambda: subprocess.run(ready, env=self.environment, check=False).returncode == 0)

    def log_text(self):
        with open(self.log, encoding="utf-8") as log:
            return log.read()

    def refusal(self):
        """What a further postmaster says."""
        said = self.run("postgres", "-D", self.data, status=1)
        said = "\n".join(re.findall(r"(?:FATAL|HINT): .*", said))
        return re.sub(r"\d+", "N", said.replace(self.folder, "FOLDER"))

    def main_segment(self):
        """The id, as the postmaster wrote it down."""
        with open(os.path.join(self.data, "postmaster.pid"), encoding="utf-8") as file:
            return int(file.read().splitlines()[6].split()[1])

    def tree(self):
        """The postmaster and its children."""
        postmaster = self.postmaster.pid
        return [pid for pid, parent in processes().items() if postmaster in (pid, parent)]

    def show_segments(self):
        main = self.main_segment()
        await_that("as often attached as there are processes", lambda: segments()[main] == len(self.tree()))
        show("segments", len(segments()))

    def client(self, statement):
        """A psql in the background, and the pid of its backend."""
        before = set(self.backends())
        client = subprocess.Popen(
            self.command("psql", "--no-psqlrc", "--quiet", f"--command={PARALLEL}", f"--command={statement}"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=self.environment, cwd=self.folder)
        return client, await_that("its backend", lambda: set(self.backends()) - before).pop()

    def backends(self):
        answer = self.query("select pid from pg_stat_activity where backend_type = 'client backend'"
                            " and pid <> pg_backend_pid() and state = 'active' and query like 'copy%'")
        return [int(line) for line in answer.split()]

    def stop(self):
        self.run("pg_ctl", f"--pgdata={self.data}", "--mode=fast", "stop")
        return self.postmaster.wait()

    def left(self):
        """Whoever was started here and still runs, known by its folder."""
        return [pid for pid in processes() if folder_of(pid).startswith(self.folder)]

    def clean_up(self):
        for pid in self.left():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        await_that("all ended", lambda: not self.left())


def end_of(client):
    client.communicate(timeout=20)
    return f"status {client.returncode}"


def gate(folder, name):
    """A fifo that keeps a program of a backend waiting; the number of its end for writing comes when it does."""
    path = os.path.join(folder, name)
    os.mkfifo(path)

    def writer():
        try:
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return 0

    return f"timeout 40 cat {path}", lambda: await_that("a reader", writer)


def check_queries(server):
    # Without the leader's help each row comes from a worker.
    for query in ("select count(*), sum(bid), min(aid), max(aid) from pgbench_accounts",
                  "select count(*), sum(a.bid + b.aid) from pgbench_accounts a join pgbench_accounts b using (aid)",
                  "select bid, count(*) from pgbench_accounts group by bid order by bid"):
        show("serial", server.query("set max_parallel_workers_per_gather = 0", query))
        show("parallel", server.query(PARALLEL, query))
        show("workers alone", server.query(PARALLEL, "set parallel_leader_participation = off", query))
        plan = server.query(PARALLEL, f"explain (analyze, costs off, timing off, summary off) {query}")
        print("\n".join(re.findall(r"Workers .*|Parallel Hash Join|Parallel Seq Scan", plan)))
    said = server.query(PARALLEL, "set client_min_messages = debug1",
                        "create index by_branch on pgbench_accounts (bid, aid)")
    show("index", "with parallel workers" if re.search(r"request for \d+ parallel worker", said) else said)
    show("by index", server.query("set enable_seqscan = off", "select count(*) from pgbench_accounts where bid = 2"))


def bench(server, *options):
    report = server.run("pgbench", "--no-vacuum", *options)
    print("\n".join(re.findall(r"number of (?:transactions actually|failed).*", report)))
    show("sums", server.query(SUMS))


def crash_of_backend(server):
    """All others are ended by the postmaster, which makes its segments anew."""
    program, await_reader = gate(server.folder, "crash")
    client, backend = server.client(f"copy kept from program '{program}'")
    writer = await_reader()
    os.kill(backend, signal.SIGKILL)
    os.close(writer)  # which ends the program, that has the client's socket as well
    show("its client", end_of(client))
    await_that("initialised again", lambda: "reinitializing" in server.log_text())
    server.await_ready()
    show("a backend was killed", "; ".join(re.findall(r"LOG:  (.*reinitializing.*)", server.log_text())))
    server.show_segments()
    show("sums", server.query(SUMS))


def crash_of_postmaster(server):
    main, before = server.main_segment(), segments()
    reads, await_reader = gate(server.folder, "input")
    blocks, await_blocked = gate(server.folder, "output")
    copier, copying = server.client(f"copy kept from program '{reads}'")
    reader = await_reader()
    selecter, selecting = server.client(f"copy (select filler from pgbench_accounts) to program '{blocks}'")
    blocked = await_blocked()

    # The leader and its two workers share the session's and the query's.
    def shared():
        return [segment for segment, count in segments().items() if segment not in before and count == 3]

    await_that("two segments of leader and workers", lambda: len(shared()) == 2)
    dynamic = shared()
    server.show_segments()

    others = set(server.tree()) - {copying, selecting}
    server.postmaster.kill()
    await_that("all others ended", lambda: not others & set(processes()))
    show("attached to the main segment", segments()[main])
    show("attached to the query's", [segments()[segment] for segment in dynamic])
    server.postmaster.wait()
    print(server.refusal())

    # Whoever takes the lock file away is still refused.
    os.kill(selecting, signal.SIGKILL)
    os.close(blocked)
    show("its client", end_of(selecter))
    await_that("one attached", lambda: segments()[main] == 1)
    show("attached to the query's", [segments()[segment] for segment in dynamic])
    os.remove(os.path.join(server.data, "postmaster.pid"))
    print(server.refusal())

    os.write(reader, b"5\n7\n")
    os.close(reader)
    show("the other goes on to its end", end_of(copier))
    await_that("none attached", lambda: segments()[main] == 0)
    show("segments left", len(segments()))

    server.start()
    print("\n".join(re.findall(r"LOG:  (database system was not .*|redo starts|redo done|database system is ready.*)",
                               server.log_text())))
    show("the query's are there", any(segment in segments() for segment in dynamic))
    server.show_segments()
    show("kept", server.query("select * from kept order by 1").replace("\n", " "))
    show("sums", server.query(SUMS))


def scenario(server):
    server.make()
    show("segments after initdb", len(segments()))
    server.start()
    server.show_segments()
    server.run("pgbench", "--initialize", "--scale=2", "--quiet")
    bench(server, "--client=4", "--jobs=2", "--transactions=300")
    bench(server, "--client=8", "--jobs=2", "--transactions=20", "--connect")
    check_queries(server)
    server.query("create table kept (number integer)", "insert into kept values (1)")
    server.show_segments()
    show("a second postmaster", server.refusal())
    crash_of_backend(server)
    crash_of_postmaster(server)
    bench(server, "--client=4", "--jobs=2", "--transactions=100")
    show("status of the postmaster", server.stop())
    show("segments left", segments())
    show("processes left", server.left())


def main():
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not programs:
        print("skipped: there is no PostgreSQL (scripts/setup --tests installs it)")
        sys.exit(77)
    signal.signal(signal.SIGALRM, lambda number, frame: sys.exit("it takes too long"))
    signal.alarm(45)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = Server(programs[-1], folder)
        try:
            scenario(server)
        except BaseException:
            print(server.log_text() if server.postmaster else "no server was started")
            raise
        finally:
            server.clean_up()


main()

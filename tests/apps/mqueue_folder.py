"""/dev/mqueue by unmodified commands: they list, read, change and remove the queues that a program
holds open. Each command has to print the same on the kernel's own folder, in a fresh IPC namespace,
and in a cell: on a machine without the folder, and on one where the kernel's is mounted.

Mounts in a mount namespace of its own: needs root.
"""

import contextlib
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile

import preload

IPCELL = os.environ["IPCELL"]
PATIENCE = 60.0  # seconds for one run

# A /dev of the test's own.
OTHER_DEV = """
mount -t tmpfs ipcell-test "$0"
for name in null zero full random urandom tty; do
  : > "$0/$name"
  mount --bind "/dev/$name" "$0/$name"
done
ln -s /proc/self/fd "$0/fd"
ln -s /proc/self/fd/0 "$0/stdin"
mount --rbind "$0" /dev
"""
KERNELS = OTHER_DEV + "mkdir /dev/mqueue; mount -t mqueue ipcell-test /dev/mqueue"

# Holds two queues while its argument runs, a shell script.
HOLDER = """
import ctypes, os, subprocess, sys
os.umask(0o22)
libc = ctypes.CDLL(None, use_errno=True)
queues = [libc.mq_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o660, None) for name in (b"/first", b"/second")]
assert min(queues) >= 0, os.strerror(ctypes.get_errno())
assert libc.mq_send(queues[0], b"four", 4, 0) == 0
result = subprocess.run(["bash", "-c", sys.argv[1]])
text = ctypes.create_string_buffer(8192)
assert libc.mq_receive(queues[0], text, 8192, None) == 4
sys.exit(result.returncode)
"""

LISTS = r"""
ls /dev/mqueue
ls -l /dev/mqueue
ls -lA /dev/mqueue/
ls -ld /dev/mqueue
ls -U /dev/mqueue | sort
ls -i /dev/mqueue | wc -l
find /dev/mqueue -printf '%p %y %s %m %n %u\n' | sort
find /dev/mqueue -type f -name 'f*' -exec stat -c '%n %s' {} +
du -a /dev/mqueue | sort
perl -e 'print join(" ", sort glob "/dev/mqueue/*"), "\n"; opendir my $d, "/dev/mqueue"; print scalar(grep /^[^.]/, readdir $d), "\n"'
echo /dev/mqueue/*
ls /dev/mqueue/none; echo $?
"""
LOOKS = r"""
stat -c '%n: %F %a %s %h %b %B %o %u %g %t' /dev/mqueue /dev/mqueue/*
stat -f -c '%T %l %b %f %a %c %d %s' /dev/mqueue /dev/mqueue/first
stat -c '%w' /dev/mqueue/first
[ "$(stat -c %i /dev/mqueue/first)" != "$(stat -c %i /dev/mqueue/second)" ]; echo $?
[ "$(stat -c %d /dev/mqueue/first)" = "$(stat -c %d /dev/mqueue)" ]; echo $?
test -f /dev/mqueue/first; echo $?
test -d /dev/mqueue; echo $?
test -p /dev/mqueue/first; echo $?
test -e /dev/mqueue/none; echo $?
test -x /dev/mqueue/first; echo $?
test -r /dev/mqueue/first -a -w /dev/mqueue/second; echo $?
stat -c %n /dev/mqueue/first/; stat -c %n /dev/mqueue/first/x; stat -c %n /dev/mqueue/none/x
stat -c %n //dev///mqueue/./first /dev/../dev/mqueue/first
realpath /dev/mqueue /dev/mqueue/./first
readlink /dev/mqueue/first; echo $?
df --output=fstype,file /dev/mqueue/first 2>&1 | tail -n 1 | wc -l
"""
READS = r"""
cat /dev/mqueue/first
cat < /dev/mqueue/second
cat /dev/stdin < /dev/mqueue/first
head -c 6 /dev/mqueue/first; echo
cut -d ' ' -f 1 /dev/mqueue/first
wc -c < /dev/mqueue/first
grep -c QSIZE:4 /dev/mqueue/first
diff -q /dev/mqueue/first /dev/mqueue/second
sed -n 's/ .*//p' /dev/mqueue/first
read line < /dev/mqueue/first; echo "${line%% *}"
mapfile -t lines < /dev/mqueue/first; echo ${#lines[@]}
cp /dev/mqueue/first "$TMPDIR/copy"; cut -c 1-8 "$TMPDIR/copy"
tar -cf - -C /dev/mqueue first second 2>/dev/null | tar -tf -
awk '{print $1}' /dev/mqueue/first
perl -ne 'print length, "\n"' /dev/mqueue/second
"""
STANDS_IN_IT = r"""
cd /dev/mqueue
pwd; pwd -P; /bin/pwd -P
ls; ls -l first; cat first ./second ../mqueue/first
stat -c '%n %a' . first
for name in *; do echo "$name"; done
test -f second && echo 'a file'
find . | sort
readlink /proc/self/cwd
python3 -c 'import os; print(os.getcwd(), sorted(os.listdir()), os.stat("first").st_size)'
(cd .. && pwd -P && test -c null && echo out)
cat ../null
"""
CHANGES = r"""
chmod 640 /dev/mqueue/first; chmod -v g+w,o+r /dev/mqueue/first
chown 12:34 /dev/mqueue/second; chown -h :56 /dev/mqueue/second
stat -c '%n %a %u %g' /dev/mqueue/*
touch -d @1000 /dev/mqueue/first; stat -c '%X %Y' /dev/mqueue/first
touch -m -d @2000.5 /dev/mqueue/first; stat -c '%X %y' /dev/mqueue/first
touch -r /dev/mqueue/first /dev/mqueue/second; stat -c '%X %Y' /dev/mqueue/second
truncate -s 1234 /dev/mqueue/first; stat -c %s /dev/mqueue/first
: > /dev/mqueue/first; stat -c %s /dev/mqueue/first
chmod -R u+x /dev/mqueue/second; stat -c %a /dev/mqueue/second
chmod 600 /dev/mqueue/none
"""
MAKES_AND_REMOVES = r"""
touch /dev/mqueue/made; ls /dev/mqueue
: > /dev/mqueue/another; stat -c '%s %a' /dev/mqueue/another
mknod /dev/mqueue/device c 1 3; mkfifo /dev/mqueue/fifo
mkdir /dev/mqueue/folder; mkdir /dev/mqueue/first; mkdir -p /dev/mqueue
ln -s first /dev/mqueue/link; ln /dev/mqueue/first /dev/mqueue/link
mv /dev/mqueue/first /dev/mqueue/moved; rmdir /dev/mqueue/first; rmdir /dev/mqueue
/dev/mqueue/first; echo $?
rm -v /dev/mqueue/made; rm /dev/mqueue/none; rm -f /dev/mqueue/none; echo $?
unlink /dev/mqueue/another; ls /dev/mqueue
find /dev/mqueue -name second -delete; ls /dev/mqueue; ls -ld /dev/mqueue
rm /dev/mqueue/first/; rm -r /dev/mqueue/*; ls -A /dev/mqueue | wc -l
"""
PYTHON = r"""
python3 - <<'SCRIPT'
import errno, fcntl, glob, os, pathlib, shutil, stat
folder = "/dev/mqueue"
print(sorted(os.listdir(folder)), sorted(glob.glob(folder + "/f*")), os.path.realpath(folder + "/first"))
for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
    status = entry.stat()
    print(entry.path, entry.is_file(), entry.is_dir(), stat.filemode(status.st_mode), status.st_size)
print(open(folder + "/first").read().split())
print(pathlib.Path(folder, "second").read_bytes()[:8], pathlib.Path(folder, "none").exists())
fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
print(sorted(os.listdir(fd)), os.stat("first", dir_fd=fd).st_size, os.access("first", os.R_OK, dir_fd=fd))
queue = os.open("first", os.O_RDWR, dir_fd=fd)
print(os.path.basename(os.readlink(f"/proc/self/fd/{queue}")), os.get_inheritable(queue), oct(fcntl.fcntl(queue, fcntl.F_GETFL)))
print(os.fstatvfs(queue)[:9], os.statvfs(folder)[:6], os.fstat(queue).st_nlink)
for action in (lambda: os.mkdir("x", dir_fd=fd), lambda: os.rename(folder + "/first", "/tmp/first"),
               lambda: os.link("/etc/passwd", folder + "/link"), lambda: os.getxattr(folder + "/first", "user.x"),
               lambda: os.open(folder, os.O_RDWR), lambda: os.open(folder + "/" + "n" * 256, os.O_RDONLY),
               lambda: os.write(queue, b"x"), lambda: os.rmdir(folder), lambda: os.unlink(folder),
               lambda: os.stat(folder + "/" + "n" * 256), lambda: os.open(folder, os.O_TMPFILE | os.O_RDWR),
               lambda: os.execv(folder + "/first", ["x"]), lambda: os.chdir(folder + "/first")):
    try:
        print(action())
    except OSError as error:
        print(errno.errorcode[error.errno])
os.utime("first", (5, 6), dir_fd=fd)
os.chmod("first", 0o604, dir_fd=fd)
print(os.fstat(queue)[:1], os.fstat(queue)[-3:-1], os.listxattr(folder + "/first"))
os.unlink("first", dir_fd=fd)
print(os.fstat(queue).st_nlink, os.path.basename(os.readlink(f"/proc/self/fd/{queue}")), os.listdir(folder))
again = os.open(f"/proc/self/fd/{queue}", os.O_RDONLY)
print(os.read(again, 8), os.fstat(again).st_ino == os.fstat(queue).st_ino)
os.fchdir(fd)
print(os.listdir(), os.getcwd(), os.stat("second").st_size)
shutil.copyfile("second", os.environ["TMPDIR"] + "/python")
SCRIPT
cut -c 1-8 "$TMPDIR/python"
"""


class Surroundings:
    """Runs scripts on the kernel and in cells, with a /dev of the test's own."""

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="ipcell-apps-")
        for name in ("dev", "cells", "tmp"):
            os.mkdir(os.path.join(self.top, name), 0o700)

    def run(self, dev, wrapper, script):
        """What is printed, and the status."""
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith("IPCELL_") and name != "LD_PRELOAD"}
        environment = dict(
            kept, LC_ALL="C", TZ="UTC", TMPDIR=self.top + "/tmp", IPCELL_DIR=self.top + "/cells",
            IPCELL_LIBRARY=preload.LIBRARY)
        result = subprocess.run(
            ["unshare", "--ipc", "--mount", "sh", "-ec", dev + '\nexec "$@"', self.top + "/dev",
             *wrapper, sys.executable, "-c", HOLDER, script],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", timeout=PATIENCE, cwd="/", check=False, env=environment)
        return normalised(result.stdout, self.top) + [f"(status {result.returncode})"]

    def close(self):
        shutil.rmtree(self.top, ignore_errors=True)


@contextlib.contextmanager
def surroundings():
    there = Surroundings()
    try:
        yield there
    finally:
        there.close()


def normalised(text, top):
    text = re.sub(r"\b[A-Z][a-z]{2} +\d{1,2} +(?:\d\d:\d\d|\d{4})\b", "TIME", text.replace(top, "TOP"))
    return [re.sub(r" +", " ", line).rstrip() for line in text.splitlines()]


def has_kernel():
    probe = subprocess.run(
        ["unshare", "--ipc", "--mount", "sh", "-ec", "mount -t mqueue ipcell-test /mnt"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return probe.returncode == 0


def expect_same(script):
    if not has_kernel():
        raise preload.Skip("no /dev/mqueue of the kernel to compare with")
    in_cell = [IPCELL, "run", "--deny", "--"]
    with surroundings() as there:
        expected = there.run(KERNELS, [], script)
        print("\n".join(expected))
        for where, dev in {"no /dev/mqueue": OTHER_DEV, "the kernel's beside it": KERNELS}.items():
            got = there.run(dev, in_cell, script)
            difference = list(difflib.unified_diff(expected, got, "kernel", f"cell, {where}", lineterm="", n=1))
            assert not difference, "\n".join(difference)


def test_lists(_):
    expect_same(LISTS)


def test_looks(_):
    expect_same(LOOKS)


def test_reads(_):
    expect_same(READS)


def test_stands_in_it(_):
    expect_same(STANDS_IN_IT)


def test_changes(_):
    expect_same(CHANGES)


def test_makes_and_removes(_):
    expect_same(MAKES_AND_REMOVES)


def test_python(_):
    expect_same(PYTHON)


preload.main()

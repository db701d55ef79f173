"""Runs a program, sees each of its system calls that touch the disk below a folder or the network,
in the order in which they are made, and ends the program at one of them, or makes that call fail:

    watch_calls.py '{"root": FOLDER, "record": FILE, …}' PROGRAM …

Settings, as JSON:

    root      only what happens below this folder counts, and what goes over TCP
    record    a file that gets the name of every call, a line each
    match     a regular expression: the calls that are counted; default: all
    at        the number of the counted call at which something happens, from 1 on
    do        "SIGKILL" (the call is not carried out), another signal (it is), or the number of an error
    onwards   true: the error also comes at all counted calls after it
    died      a file that gets the name of the call at which it happened
    before    a program with its arguments that is run first, while the call waits

Names: `mkdir P`, `open P` (for reading), `create P`, `rename P Q`, `send POST PATH`, `receive`,
`connect`, `print`, and so on, with paths relative to the folder.

The kernel asks this process before each call (seccomp's notifications, Linux 5.8 or newer), so the
order is one for all threads. strace counts each thread and each kind of call for itself, so that
"the 120th call" cannot be said with it.
"""

import array
import ctypes
import errno
import fcntl
import json
import os
import re
import select
import signal
import socket
import struct
import sys

# The numbers of the calls on x86_64 and on aarch64 (which lacks the old ones): name, then how its
# paths and files are found: p0 = path in argument 0, d1 = the path in argument 1 seen from the
# folder in the one before, f0 = open file.
CALLS = {
    "read": (0, 63, "f0"), "write": (1, 64, "f0"), "open": (2, None, "p0"), "close": (3, 57, "f0"),
    "stat": (4, None, "p0"), "fstat": (5, 80, "f0"), "lstat": (6, None, "p0"),
    "pread64": (17, 67, "f0"), "pwrite64": (18, 68, "f0"), "readv": (19, 65, "f0"),
    "writev": (20, 66, "f0"), "access": (21, None, "p0"), "sendfile": (40, 71, "f0"),
    "socket": (41, 198, ""), "connect": (42, 203, "f0"), "sendto": (44, 206, "f0"),
    "recvfrom": (45, 207, "f0"), "recvmsg": (47, 212, "f0"), "shutdown": (48, 210, "f0"),
    "fsync": (74, 82, "f0"), "fdatasync": (75, 83, "f0"), "truncate": (76, 45, "p0"),
    "ftruncate": (77, 46, "f0"), "rename": (82, None, "p0 p1"), "mkdir": (83, None, "p0"),
    "rmdir": (84, None, "p0"), "creat": (85, None, "p0"), "link": (86, None, "p0 p1"),
    "unlink": (87, None, "p0"), "symlink": (88, None, "p1"), "readlink": (89, None, "p0"),
    "chmod": (90, None, "p0"), "fchmod": (91, 52, "f0"), "chown": (92, None, "p0"),
    "fchown": (93, 55, "f0"), "lchown": (94, None, "p0"), "getdents64": (217, 61, "f0"),
    "openat": (257, 56, "d1"), "mkdirat": (258, 34, "d1"), "fchownat": (260, 54, "d1"),
    "newfstatat": (262, 79, "d1"), "unlinkat": (263, 35, "d1"), "renameat": (264, 38, "d1 d3"),
    "linkat": (265, 37, "d1 d3"), "symlinkat": (266, 36, "d2"), "readlinkat": (267, 78, "d1"),
    "fchmodat": (268, 53, "d1"), "faccessat": (269, 48, "d1"), "utimensat": (280, 88, "d1"),
    "fallocate": (285, 47, "f0"), "preadv": (295, 69, "f0"), "pwritev": (296, 70, "f0"),
    "renameat2": (316, 276, "d1 d3"), "copy_file_range": (326, 285, "f2"),
    "preadv2": (327, 286, "f0"), "pwritev2": (328, 287, "f0"), "statx": (332, 291, "d1"),
    "openat2": (437, 437, "d1"), "faccessat2": (439, 439, "d1"),
}
# Column in CALLS, the kernel's name of the architecture, the numbers of seccomp and of
# process_vm_readv.
MACHINES = {"x86_64": (0, 0xC000003E, 317, 310), "aarch64": (1, 0xC00000B7, 277, 270)}

# The same call by its modern and its old name.
SAME = {
    "newfstatat": "stat", "statx": "stat", "lstat": "stat", "fstat": "stat",
    "openat": "open", "openat2": "open", "creat": "open",
    "faccessat": "access", "faccessat2": "access", "readlinkat": "readlink",
    "mkdirat": "mkdir", "unlinkat": "unlink", "renameat": "rename", "renameat2": "rename",
    "linkat": "link", "symlinkat": "symlink", "fchmodat": "chmod", "fchownat": "chown",
    "pread64": "read", "readv": "read", "preadv": "read", "preadv2": "read",
    "pwrite64": "write", "writev": "write", "pwritev": "write", "pwritev2": "write",
    "getdents64": "list",
}
SENDS = ("write", "writev", "sendto", "pwritev", "pwritev2")
MAKES_OR_WRITES = os.O_CREAT | os.O_WRONLY | os.O_RDWR | os.O_TRUNC

RECEIVE, ANSWER = 0xC0502100, 0xC0182101
CARRY_OUT = 1
NOTIFICATION = struct.Struct("=QIIiIQ6Q")
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def main():
    settings, command = json.loads(sys.argv[1]), sys.argv[2:]
    column, machine, seccomp, readv = MACHINES[os.uname().machine]
    numbers = {entry[column]: name for name, entry in CALLS.items() if entry[column] is not None}
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    program = filter_program(machine, numbers)
    pid = os.fork()
    if pid == 0:
        ours.close()
        listener = listen(seccomp, program)
        # sendmsg is none of the calls that are watched: nobody could answer yet.
        socket.send_fds(theirs, [b"-"], [listener])
        os.execvp(command[0], command)
    theirs.close()
    _, fds, _, _ = socket.recv_fds(ours, 1, 1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, _: os.kill(pid, n))
    return Watch(settings, numbers, pid, readv).serve(fds[0])


def filter_program(machine, numbers):
    """Asks about these calls of this architecture and lets all others pass."""
    load, equal, give = 0x20, 0x15, 0x06
    passes, asks = 0x7FFF0000, 0x7FC00000
    lines = [(load, 0, 0, 4), (equal, 1, 0, machine), (give, 0, 0, passes), (load, 0, 0, 0)]
    ordered = sorted(numbers)
    lines += [(equal, len(ordered) - index, 0, n) for index, n in enumerate(ordered)]
    lines += [(give, 0, 0, passes), (give, 0, 0, asks)]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def system_call(number, *arguments):
    whole = [ctypes.c_ulong(one) if isinstance(one, int) else one for one in arguments]
    return libc.syscall(ctypes.c_ulong(number), *whole)


def listen(seccomp, program):
    """Installs the filter for this process and all that it becomes; gives what answers."""
    code = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    set_filter, new_listener, no_new_privileges = 1, 8, 38
    if libc.prctl(no_new_privileges, 1, 0, 0, 0) != 0:
        os._exit(126)
    listener = system_call(seccomp, set_filter, new_listener, header)
    if listener < 0:
        sys.stderr.write(f"watch_calls: seccomp: {os.strerror(ctypes.get_errno())}\n")
        os._exit(126)
    os.set_inheritable(listener, False)
    return listener


class Watch:
    """Answers the kernel's questions."""

    def __init__(self, settings, numbers, pid, readv):
        self.numbers, self.pid, self.readv = numbers, pid, readv
        self.root = settings["root"]
        self.match = re.compile(settings.get("match", ""))
        self.at, self.do = settings.get("at"), settings.get("do", "SIGKILL")
        self.onwards = settings.get("onwards", False)
        self.died, self.before = settings.get("died"), settings.get("before")
        self.record = open(settings["record"], "w") if settings.get("record") else None
        self.count = 0
        self.requests = {}

    def serve(self, listener):
        """Serves until the program has ended, and gives its exit code; 128 + N for signal N."""
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        while True:
            events = poll.poll()
            if any(event & select.POLLHUP for _, event in events):
                break
            question = array.array("b", bytes(NOTIFICATION.size))
            try:
                fcntl.ioctl(listener, RECEIVE, question)
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.EINTR):
                    continue
                raise
            cookie, task, _, number, _, _, *arguments = NOTIFICATION.unpack(question)
            failure = self.judge(task, self.numbers[number], arguments)
            flags = CARRY_OUT if failure == 0 else 0
            try:
                fcntl.ioctl(listener, ANSWER, struct.pack("=QqiI", cookie, 0, -failure, flags))
            except OSError as error:
                if error.errno != errno.ENOENT:
                    raise
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return code if code >= 0 else 128 - code

    def judge(self, task, call, arguments):
        """Gives the error that the call gets, 0 for none. Does not come back from a kill."""
        name = self.name(task, call, arguments)
        if name is None:
            return 0
        if self.record is not None:
            self.record.write(f"{name}\n")
            self.record.flush()
        if not self.match.search(name):
            return 0
        self.count += 1
        if self.at is None or self.count < self.at or (self.count > self.at and not self.onwards):
            return 0
        if self.count == self.at:
            if self.before is not None:
                if os.spawnvp(os.P_WAIT, self.before[0], self.before) != 0:
                    raise RuntimeError(f"{self.before[0]} failed")
            if self.died is not None:
                with open(self.died, "w") as file:
                    file.write(name)
        if isinstance(self.do, int):
            return self.do
        os.kill(self.pid, signal.Signals[self.do])
        return 0

    def name(self, task, call, arguments):
        """Gives the name of a call that counts, None for another."""
        if call == "socket":
            return "socket" if arguments[0] in (socket.AF_INET, socket.AF_INET6) else None
        parts = CALLS[call][2].split()
        if parts[0][0] == "f":
            return self.name_of_file_call(task, call, int(parts[0][1]), arguments)
        paths = [self.path(task, part, arguments) for part in parts]
        if not any(self.is_inside(path) for path in paths):
            return None
        shown = " ".join(self.shown(path) for path in paths)
        name = SAME.get(call, call)
        if name == "open" and self.flags(task, call, arguments) & MAKES_OR_WRITES:
            name = "create"
        return f"{name} {shown}"

    def name_of_file_call(self, task, call, index, arguments):
        fd = arguments[index] & 0xFFFFFFFF
        try:
            target = os.readlink(f"/proc/{task}/fd/{fd}")
        except OSError:
            return None
        if self.is_inside(target):
            return f"{SAME.get(call, call)} {self.shown(target)}"
        if fd in (1, 2):
            return "print" if call in SENDS else None
        if fd == 0 or not target.startswith("socket:"):
            return None
        return self.name_of_exchange(task, call, target, arguments)

    def name_of_exchange(self, task, call, target, arguments):
        if call in ("connect", "shutdown", "close"):
            return call
        if call not in SENDS:
            return f"receive {self.requests.get(target, '')}".rstrip()
        address = arguments[1]
        if call == "writev":
            address = struct.unpack("=Q", self.memory(task, address, 8))[0]
        line = re.match(rb"[A-Z]+ \S+", self.memory(task, address, 200))
        if line is not None:
            self.requests[target] = line[0].decode("latin1")
        return f"send {self.requests.get(target, '')}".rstrip()

    def path(self, task, part, arguments):
        index = int(part[1])
        path = os.fsdecode(self.text(task, arguments[index]))
        if os.path.isabs(path):
            return path
        folder = arguments[index - 1] & 0xFFFFFFFF if part[0] == "d" else 0xFFFFFF9C
        link = "cwd" if folder == 0xFFFFFF9C else f"fd/{folder}"
        try:
            base = os.readlink(f"/proc/{task}/{link}")
        except OSError:
            return ""
        return os.path.join(base, path) if path else base

    def flags(self, task, call, arguments):
        if call == "openat2":
            return struct.unpack("=Q", self.memory(task, arguments[2], 8))[0]
        return MAKES_OR_WRITES if call == "creat" else arguments[1 if call == "open" else 2]

    def text(self, task, address):
        text = b""
        while len(text) < 4096 and b"\0" not in text:
            size = 4096 - (address + len(text)) % 4096
            piece = self.memory(task, address + len(text), size)
            if not piece:
                break
            text += piece
        return text.split(b"\0", 1)[0]

    def memory(self, task, address, size):
        buffer = ctypes.create_string_buffer(size)
        to = struct.pack("PN", ctypes.addressof(buffer), size)
        done = system_call(self.readv, task, to, 1, struct.pack("PN", address, size), 1, 0)
        return buffer.raw[: max(done, 0)]

    def is_inside(self, path):
        return path == self.root or path.startswith(self.root + "/")

    def shown(self, path):
        return os.path.relpath(path, self.root) if self.is_inside(path) else path


sys.exit(main())

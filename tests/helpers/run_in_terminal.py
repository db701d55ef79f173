"""Runs a program on a terminal of its own: `run_in_terminal.py '["typed", …]' PROGRAM …`.

Each text is typed, with Enter, when the program has written a prompt (a line without an end that
ends in ": ") and reads without showing what is typed; "^C" is Ctrl-C. What the terminal shows is
printed.
"""

import json
import os
import pty
import select
import struct
import sys
import fcntl
import termios


def main():
    texts = json.loads(sys.argv[1])
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[2], sys.argv[2:])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    seen = b""
    while True:
        ready, _, _ = select.select([terminal], [], [], 0.05)
        if ready:
            try:
                data = os.read(terminal, 65536)
            except OSError:
                break
            if not data:
                break
            seen += data
            sys.stdout.buffer.write(data)
        elif texts and seen.endswith(b": ") and not echoes(terminal):
            seen = b""
            text = texts.pop(0)
            os.write(terminal, b"\x03" if text == "^C" else text.encode() + b"\r")
    sys.stdout.buffer.flush()
    _, status = os.waitpid(pid, 0)
    sys.exit(os.waitstatus_to_exitcode(status))


def echoes(terminal):
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


main()

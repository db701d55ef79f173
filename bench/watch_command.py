"""Runs a command and writes down what all of its processes together took.

Arguments: a file for the figures, then the command. Processes that lose their parent become children
of this one (a subreaper), so that none is forgotten. Memory is the proportional set size: what several
processes share counts once.
"""

import ctypes
import json
import os
import resource
import subprocess
import sys
import threading
import time

PR_SET_CHILD_SUBREAPER = 36
INTERVAL = 0.1  # seconds


def parents():
    found = {}
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                with open(f'/proc/{name}/stat', 'rb') as stat:
                    found[int(name)] = int(stat.read().rpartition(b')')[2].split()[1])
            except (OSError, ValueError, IndexError):
                pass  # it has ended meanwhile
    return found


def descendants():
    found, old = {os.getpid()}, 0
    tree = parents()
    while len(found) > old:
        old = len(found)
        found |= {pid for pid, parent in tree.items() if parent in found}
    return found - {os.getpid()}


def memory_of(pid):
    try:
        with open(f'/proc/{pid}/smaps_rollup') as rollup:
            return next((int(line.split()[1]) for line in rollup if line.startswith('Pss:')), 0)
    except OSError:
        return 0


def watch(done, peak):
    while not done.wait(INTERVAL):
        sizes = [size for size in map(memory_of, descendants()) if size > 0]
        peak['kib'] = max(peak['kib'], sum(sizes))
        peak['processes'] = max(peak['processes'], len(sizes))


def reap():
    """All that the command left running ends on its own."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def main(note, *command):
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    done, peak = threading.Event(), {'kib': 0, 'processes': 0}
    watcher = threading.Thread(target=watch, args=(done, peak))
    watcher.start()
    start = time.monotonic()
    code = subprocess.call(command, stdin=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    done.set()
    watcher.join()
    reap()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    # A run that is over before it was looked at has at least its largest process.
    figures = {'seconds': seconds, 'cpuSeconds': used.ru_utime + used.ru_stime,
               'peakKib': max(peak['kib'], used.ru_maxrss), 'processes': peak['processes']}
    with open(note, 'w') as file:
        json.dump(figures, file)
    return code


sys.exit(main(*sys.argv[1:]))

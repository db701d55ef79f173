"""Runs Synapse in this process and ends it, with its folder, when standard input closes.

The kernel closes that pipe when the process that holds its other end is gone, however it went,
so no Synapse outlives the tests. Argument: the folder that holds homeserver.yaml.
"""

import os
import runpy
import shutil
import sys
import threading


def end_with_parent(folder):
    while sys.stdin.buffer.read(1):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


folder = sys.argv[1]
# Modules of the tests stand beside this file, which Python does not look at when it is isolated.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
threading.Thread(target=end_with_parent, args=(folder,), daemon=True).start()
sys.argv = ['synapse', '--config-path', os.path.join(folder, 'homeserver.yaml')]
runpy.run_module('synapse.app.homeserver', run_name='__main__')

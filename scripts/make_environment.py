"""Makes one virtual environment with one package, whole or not at all.

Arguments: folder, requirement. The marker is written last; what stands there without the right
marker is a leftover of a killed run and is made anew. The kernel frees the lock when its holders
end, however they end; pip holds it too, so that a killed parent does not let a second one in.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import venv

MARKER = 'matrix-tokens-complete'


def is_whole(folder, requirement):
    name, version = requirement.split('==')
    try:
        with open(os.path.join(folder, MARKER)) as marker:
            if marker.read() != requirement:
                return False
        code = f'import importlib.metadata as m; assert m.version({name!r}) == {version!r}'
        return subprocess.run([os.path.join(folder, 'bin', 'python'), '-c', code],
                              capture_output=True).returncode == 0
    except OSError:
        return False


def make(folder, requirement, lock):
    shutil.rmtree(folder, ignore_errors=True)
    venv.EnvBuilder(with_pip=True, symlinks=True).create(folder)
    pip = [os.path.join(folder, 'bin', 'python'), '-m', 'pip', 'install', '--quiet',
           '--retries', '2', '--disable-pip-version-check', '--no-input', requirement]
    subprocess.run(pip, check=True, pass_fds=[lock.fileno()], stdin=subprocess.DEVNULL)
    with open(os.path.join(folder, MARKER), 'w') as marker:
        marker.write(requirement)


def main(folder, requirement):
    os.makedirs(os.path.dirname(folder), mode=0o700, exist_ok=True)
    with open(folder + '.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_whole(folder, requirement):
            return 0
        try:
            make(folder, requirement, lock)
        except subprocess.CalledProcessError as error:
            return error.returncode or 1
    return 0


sys.exit(main(sys.argv[1], sys.argv[2]))

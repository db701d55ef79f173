"""Ansible's own commands, many of them without starting Python each time.

Each line of stdin is a job {"cwd": …, "env": {…}, "commands": [{"argv": [program, …], "input": …}, …]};
each line of stdout is the list of its answers {"exitCode": …, "stdout": …, "stderr": …}. A job has a
process of its own that imports Ansible after its environment is set, as a new one would, and each of
its commands another; only what Ansible builds on is imported before.

The command `ansible-vault view-each` is `view`, but tries every file: JSON with their texts, null
where one is not opened.
"""
import importlib
import json
import os
import sys
import tempfile

import cryptography.hazmat.backends  # noqa: F401
import cryptography.hazmat.primitives.ciphers  # noqa: F401
import jinja2.nativetypes  # noqa: F401
import yaml  # noqa: F401

PROGRAMS = {
    "ansible": "ansible.cli.adhoc",
    "ansible-inventory": "ansible.cli.inventory",
    "ansible-vault": "ansible.cli.vault",
}


def view_each(cli):
    from ansible import context

    texts = []
    for file in context.CLIARGS["args"]:
        try:
            texts.append(cli.editor.plaintext(file).decode())
        except Exception:  # whatever it says, it does not open it
            texts.append(None)
    print(json.dumps(texts))


def start(argv):
    module = importlib.import_module(PROGRAMS[argv[0]])
    if argv[1] == "view-each":
        module.VaultCLI.execute_view = view_each
        argv = [argv[0], "view", *argv[2:]]
    sys.argv = argv
    module.main(argv)


def in_fork(work):
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            work()
            code = 0
        except SystemExit as end:
            code = 0 if end.code is None else end.code if isinstance(end.code, int) else 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def run(command):
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(command["input"].encode())
        given.flush()
        given.seek(0)

        def work():
            os.dup2(given.fileno(), 0)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            sys.stdin = os.fdopen(0)
            start(command["argv"])

        code = in_fork(work)
        out.seek(0)
        err.seek(0)
        return {"exitCode": code, "stdout": out.read().decode(), "stderr": err.read().decode()}


def run_all(job):
    os.setsid()  # without a terminal
    os.chdir(job["cwd"])
    os.environ.clear()
    os.environ.update(job["env"])
    for program in {command["argv"][0] for command in job["commands"]}:
        importlib.import_module(PROGRAMS[program])
    answers = [run(command) for command in job["commands"]]
    sys.stdout.write(json.dumps(answers) + "\n")


for line in sys.stdin:
    job = json.loads(line)
    if in_fork(lambda: run_all(job)) != 0:
        sys.exit("a job failed")

"""Runs ansible-inventory many times, each in a fork of one process: JSON lines in, JSON lines out.

in:  {"args": the command line without the command, "cwd": a folder, "env": more of the environment}
     {"sources": the values of -i, "limits": the values of -l, "cwd": a folder}
out: {"hosts": {name: {variable: [type, value]}}}, or {"error": the class of the exception}
     {"limits": for each limit the names of the hosts, or null where Ansible ends with an error}
"""
import importlib
import json
import os
import sys
import warnings

os.environ["ANSIBLE_LOCALHOST_WARNING"] = "False"
warnings.simplefilter("ignore")

from ansible import constants
from ansible.cli.inventory import InventoryCLI
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import cache_loader, init_plugin_loader, inventory_loader
from ansible.utils.display import Display
from ansible.vars import plugins as vars_plugins

from ansible_types import typed


class Dumped(Exception):
    pass


def dump(stuff):
    raise Dumped(stuff)


InventoryCLI.dump = staticmethod(dump)
Display.warning = Display.deprecated = Display.display = lambda *args, **kwargs: None


def listed(value):
    """Tuples as lists, which they become in 2.19: no template sees a difference."""
    if type(value) is dict:
        return {k: listed(v) for k, v in value.items()}
    return [listed(v) for v in value] if type(value) in (list, tuple) else value


def list_inventory(args):
    try:
        InventoryCLI(["ansible-inventory", "--list", *args]).run()
    except Dumped as dumped:
        hostvars = dumped.args[0]["_meta"]["hostvars"]
        hosts = {host for group in dumped.args[0].values() for host in group.get("hosts", [])}
        return {
            # No template can name a variable whose name is no text.
            host: {k: typed(listed(v)) for k, v in hostvars.get(host, {}).items() if isinstance(k, str)}
            for host in hosts | hostvars.keys()
        }


def list_limit(inventory, limit):
    try:
        inventory.clear_caches()
        inventory.subset(limit)
        return [host.name for host in inventory.list_hosts("all")] or None
    except BaseException:
        return None


def list_limits(sources, limits):
    inventory = InventoryManager(loader=DataLoader(), sources=sources)
    return [list_limit(inventory, limit) for limit in limits]


def answer(case):
    os.chdir(case["cwd"])
    try:
        if "env" in case:
            # As a new process would: ansible.cfg is looked for, and read, when this is loaded.
            os.environ.update(case["env"])
            importlib.reload(constants)
        if "limits" in case:
            return {"limits": list_limits(case["sources"], case["limits"])}
        return {"hosts": list_inventory(case["args"])}
    except BaseException as error:  # whatever it is, Ansible refuses the inventory
        return {"error": type(error).__name__, "detail": str(error)}


init_plugin_loader()
# Loaded once here, not in every fork.
for name in ("host_list", "script", "auto", "yaml", "ini", "toml"):
    inventory_loader.get(name)
cache_loader.get("memory")
getattr(vars_plugins, "_prime_vars_loader", lambda: None)()

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.write(1, (json.dumps(answer(json.loads(line))) + "\n").encode())
        os._exit(0)
    os.waitpid(child, 0)

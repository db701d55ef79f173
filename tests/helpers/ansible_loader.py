"""Says what ansible-core makes of a text: JSON lines in ({"kind", "text"}), JSON lines out.

kind: yaml (a vars file) · ini, yaml-inventory (an inventory file) · extra (the text of one -e)
out:  {"value": …} as [type, value] pairs, or {"error": the class of the exception}; {"older": true}
      where ansible-core before 2.19 is known to read the text differently
"""
import json
import os
import sys
import tempfile
import warnings

os.environ["ANSIBLE_LOCALHOST_WARNING"] = "False"
warnings.simplefilter("ignore")

from ansible import context
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory.ini import InventoryModule as IniPlugin
from ansible.plugins.loader import inventory_loader
from ansible.utils import vars as utils_vars
from ansible.utils.display import Display

from ansible_types import TrustedAsTemplate, typed

Display.warning = Display.deprecated = lambda *args, **kwargs: None
LOADER = DataLoader()


def trusted(text):
    return text if TrustedAsTemplate is None else TrustedAsTemplate().tag(text)


def load_yaml(text):
    return typed(LOADER.load(trusted(text), file_name="/oracle.yml"))


def load_extra(text):
    context.CLIARGS = {"extra_vars": (trusted(text),)}
    utils_vars.load_extra_vars.extra_vars = None
    return typed(utils_vars.load_extra_vars(LOADER))


def load_inventory(text, suffix, plugin):
    inventory = InventoryData()
    with tempfile.NamedTemporaryFile("w", suffix=suffix, newline="") as file:
        file.write(text)
        file.flush()
        plugin.parse(inventory, DataLoader(), file.name)
    own = ("inventory_file", "inventory_dir")
    groups = {
        name: {
            "vars": typed(dict(group.vars)),
            "children": sorted(child.name for child in group.child_groups),
            "hosts": [host.name for host in group.hosts],
        }
        for name, group in inventory.groups.items()
    }
    hosts = {
        name: typed({k: v for k, v in host.vars.items() if k not in own})
        for name, host in inventory.hosts.items()
    }
    return {"groups": groups, "hosts": hosts}


KINDS = {
    "yaml": load_yaml,
    "extra": load_extra,
    "ini": lambda text: load_inventory(text, ".ini", IniPlugin()),
    "yaml-inventory": lambda text: load_inventory(text, ".yml", inventory_loader.get("yaml")),
}


def is_older_reading(text, value):
    """Before 2.19 `!unsafe` lost maps in maps and knew only strings, and INI kept Python's types."""
    odd = [f'["{name}"' in value for name in ("tuple", "set", "ellipsis")]
    return TrustedAsTemplate is None and ("!unsafe" in text or any(odd))


def answer(kind, text):
    try:
        value = KINDS[kind](text)
    except BaseException as error:  # whatever it is, Ansible refuses the text
        return {"older": True} if is_older_reading(text, "") else {"error": type(error).__name__}
    return {"older": True} if is_older_reading(text, json.dumps(value)) else {"value": value}


for line in sys.stdin:
    sys.stdout.write(json.dumps(answer(**json.loads(line))) + "\n")
    sys.stdout.flush()

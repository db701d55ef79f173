"""Says what ansible-core makes of a text: JSON lines in ({"kind", "text"}), JSON lines out.

kind: yaml (a vars file) · ini, yaml-inventory (an inventory file) · extra (the text of one -e)
out:  {"value": …} as [type, value] pairs, or {"error": the class of the exception}
"""
import datetime
import json
import os
import struct
import sys
import tempfile

os.environ["ANSIBLE_LOCALHOST_WARNING"] = "False"

from ansible import context
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory.ini import InventoryModule as IniPlugin
from ansible.plugins.loader import inventory_loader
from ansible.utils import vars as utils_vars
from ansible.utils.display import Display

try:  # 2.19 and later mark what may be templated
    from ansible._internal._datatag._tags import TrustedAsTemplate
    from ansible.parsing.vault import EncryptedString, VaultHelper
except ImportError:
    from ansible.parsing.yaml.objects import AnsibleVaultEncryptedUnicode
    from ansible.utils.unsafe_proxy import AnsibleUnsafeText

    TrustedAsTemplate = None

Display.warning = Display.deprecated = lambda *args, **kwargs: None
LOADER = DataLoader()


def typed(value):
    if value is None:
        return ["none"]
    if isinstance(value, bool):
        return ["bool", value]
    if isinstance(value, int):
        return ["int", hex(value)]
    if isinstance(value, float):
        return ["float", "nan" if value != value else struct.pack(">d", value).hex()]
    if isinstance(value, datetime.datetime):
        return ["datetime", value.isoformat()]
    if isinstance(value, datetime.date):
        return ["date", value.isoformat()]
    if isinstance(value, dict):
        return ["dict", [[typed_key(k), typed(v)] for k, v in value.items()]]
    if isinstance(value, list):
        return ["list", [typed(v) for v in value]]
    return typed_text(value)


def typed_key(key):
    if isinstance(key, float) and key.is_integer():
        key = int(key)  # our keys have no such type, and to Python they are the same key
    return ["str", str(key)] if isinstance(key, str) else typed(key)


def typed_text(value):
    if TrustedAsTemplate is None:
        if isinstance(value, AnsibleVaultEncryptedUnicode):
            return ["vault", value._ciphertext.decode()]
        if isinstance(value, AnsibleUnsafeText):
            return ["unsafe", str(value)]
    elif isinstance(value, EncryptedString):
        return ["vault", str(VaultHelper.get_ciphertext(value, with_tags=False))]
    elif isinstance(value, str) and not TrustedAsTemplate.is_tagged_on(value):
        return ["unsafe", str(value)]
    if isinstance(value, str):
        return ["str", str(value)]
    return [type(value).__name__, repr(value)]


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
            "children": [child.name for child in group.child_groups],
            "hosts": [host.name for host in group.hosts],
            "priority": group.priority,
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

for line in sys.stdin:
    case = json.loads(line)
    try:
        answer = {"value": KINDS[case["kind"]](case["text"])}
    except BaseException as error:  # whatever it is, Ansible refuses the text
        answer = {"error": type(error).__name__}
        if os.environ.get("ORACLE_DEBUG"):
            answer["detail"] = str(error)
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()

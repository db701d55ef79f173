"""Values as [type, value] pairs, so that a comparison sees their types, too."""
import datetime
import struct

try:  # 2.19 and later mark what may be templated
    from ansible._internal._datatag._tags import TrustedAsTemplate
    from ansible.parsing.vault import EncryptedString, VaultHelper
except ImportError:
    from ansible.parsing.yaml.objects import AnsibleVaultEncryptedUnicode
    from ansible.utils.unsafe_proxy import AnsibleUnsafeText

    TrustedAsTemplate = None


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

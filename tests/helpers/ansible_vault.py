"""Ansible's own vault, for comparing: a JSON list of jobs on stdin, a JSON list of answers on stdout.

A job {"do": "decrypt", "text": …, "password": …} gives the content in base64, null if refused;
a job {"do": "encrypt", "text": <base64>, "password": …, "label": …} gives the envelope.
"""
import base64
import json
import sys

from ansible.parsing.vault import VaultLib, VaultSecret


def answer(job):
    secret = VaultSecret(job["password"].encode())
    vault = VaultLib([("default", secret)])
    if job["do"] == "encrypt":
        content = base64.b64decode(job["text"])
        return vault.encrypt(content, secret=secret, vault_id=job["label"]).decode()
    try:
        return base64.b64encode(vault.decrypt(job["text"])).decode()
    except Exception:  # whatever it says, it does not read it
        return None


json.dump([answer(job) for job in json.load(sys.stdin)], sys.stdout)

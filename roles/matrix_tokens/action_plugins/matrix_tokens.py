"""Hands what Ansible knows of a host to matrix-tokens, which decides (ARCHITECTURE.md, "The role")."""
import json
import os
import shlex
from base64 import b64encode
from subprocess import DEVNULL, PIPE, Popen, getoutput

from ansible.module_utils.common.text.converters import to_text
from ansible.plugins.action import ActionBase

try:  # ansible-core 2.19 and newer
    from ansible._internal._datatag._tags import Origin
    from ansible.template import is_trusted_as_template as is_template
except ImportError:
    Origin, is_template = None, lambda text: not getattr(text, '__UNSAFE__', False)


def encode(value):
    tag = Origin and Origin.get_tag(value)
    at = [tag.path or tag.description, tag.line_num, tag.col_num] if tag else getattr(value, 'ansible_pos', None)
    if hasattr(value, '_ciphertext'):
        return {'at': at, 'vault': to_text(value._ciphertext)}
    if isinstance(value, str):
        return {'at': at, 'text': value, 'template': is_template(value)}
    if isinstance(value, dict):
        return {'at': at, 'map': [[encode(key), encode(inner)] for key, inner in value.items()]}
    if isinstance(value, (list, tuple)):
        return {'at': at, 'list': [encode(inner) for inner in value]}
    return {'at': at, 'plain': str(value), 'type': type(value).__name__}


class ActionModule(ActionBase):
    def answer(self, question, value):
        try:
            for key in question.get('render', [question.get('raw')]):
                value = value[key]
            return {'value': encode(self._templar.template(value) if 'render' in question else value)}
        except Exception as error:  # a template may raise anything; a name may be undefined
            return {'error': to_text(error)}

    def run(self, tmp=None, task_vars=None):
        args, secrets = self._task.args, self._loader._vault.secrets or []
        answer = {key: getattr(self._task, key) for key in ('args', 'check_mode', 'diff', 'async_val', 'run_once')}
        answer |= {'names': list(task_vars), 'secrets': [[label, b64encode(it.bytes).decode()] for label, it in secrets]}
        child = Popen(['/bin/sh', args['bin'], 'play'], stdin=PIPE, stdout=PIPE, stderr=DEVNULL, text=True,
                      env={**os.environ, 'MATRIX_TOKENS_NODE': args['node']}, start_new_session=True)
        try:
            while 'result' not in answer:
                print(json.dumps(answer, default=str), file=child.stdin, flush=True)
                while 'say' in (question := json.loads(child.stdout.readline())):
                    self._display.verbose(question['say'], task_vars['inventory_hostname'], question['level'])
                answer = question if 'result' in question else self.answer(question, task_vars)
            return answer['result']
        except (OSError, ValueError):
            there, said = os.path.isfile(args['bin']), getoutput(shlex.join([args['node'], '-v']))
            return {'failed': True, 'msg': f'matrix-tokens gave no answer: the bundle {args["bin"]} (matrix_tokens_bin) is '
                    f'{"there" if there else "missing (in a clone, npm ci makes it)"} and wants Node 20.19 or newer on '
                    f'the control machine, where {args["node"]} -v (matrix_tokens_node) says: {said}'}
        finally:
            child.terminate()

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseListing } from '../src/ansible/dynamic.ts';
import { InputError } from '../src/errors.ts';

const FILE = 'inv/hosts';
const AT = { file: FILE, line: 1, column: 1 };

function listing(groups: object, hostvars: object = {}): string {
  return JSON.stringify({ ...groups, _meta: { hostvars, profile: 'inventory_legacy' } }, null, 4);
}

test('a listing gives groups with children, hosts and variables', () => {
  const source = parseListing(
    listing(
      {
        all: { children: ['ungrouped', 'parent'] },
        parent: { children: ['child'] },
        child: { hosts: ['one', 'two'], vars: { name: '{{ other }}' } },
        ungrouped: { hosts: ['three'] },
      },
      { one: { port: 22 } },
    ),
    FILE,
  );
  assert.deepEqual([...source.hosts.keys()], ['one', 'two', 'three']);
  assert.deepEqual(source.groups.get('parent')?.children, ['child']);
  assert.deepEqual(source.groups.get('child')?.hosts, ['one', 'two']);
  assert.deepEqual(source.groups.get('child')?.vars.get('name'), {
    kind: 'scalar',
    at: AT,
    value: '{{ other }}',
  });
  assert.deepEqual(source.hosts.get('one')?.vars.get('port'), {
    kind: 'scalar',
    at: AT,
    value: 22,
  });
});

test('values that Ansible wraps stay closed, or are never templated', () => {
  const wrapped = {
    closed: { __ansible_vault: '$ANSIBLE_VAULT;1.1;AES256\n31\n' },
    list: [{ __ansible_unsafe: '{{ text }}' }],
  };
  const vars = parseListing(listing({ g: { hosts: ['h'] } }, { h: wrapped }), FILE).hosts.get(
    'h',
  )?.vars;
  assert.deepEqual(vars?.get('closed'), {
    kind: 'scalar',
    at: AT,
    value: '$ANSIBLE_VAULT;1.1;AES256\n31\n',
    tag: 'vault',
  });
  assert.deepEqual(vars?.get('list'), {
    kind: 'seq',
    at: AT,
    items: [{ kind: 'scalar', at: AT, value: '{{ text }}', tag: 'unsafe' }],
  });
});

test('a host that only has variables is ungrouped', () => {
  const source = parseListing(listing({}, { alone: {} }), FILE);
  assert.deepEqual(source.groups.get('ungrouped')?.hosts, ['alone']);
});

for (const [what, text] of Object.entries({
  nothing: '',
  'no JSON': 'canary: [',
  'a list': '["canary"]',
  'no variables of hosts': '{"g": {"hosts": ["canary"]}}',
  'a group that is a list': listing({ canary: [] }),
  'a host that is no text': listing({ g: { hosts: [1] } }),
  'children that are a text': listing({ g: { children: 'canary' } }),
  'an unknown key': listing({ g: { canary: [] } }),
  'variables that are a list': listing({ g: { hosts: ['h'] } }, { h: ['canary'] }),
})) {
  test(`a listing with ${what} is refused, and nothing of it is shown`, () => {
    assert.throws(
      () => parseListing(text, FILE),
      (error) =>
        error instanceof InputError &&
        error.faults.every(({ code, at }) => code === 'E_INVENTORY' && at?.file === FILE) &&
        !JSON.stringify(error.faults).includes('canary'),
    );
  });
}

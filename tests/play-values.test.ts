// Values as the role's action plugin sends them, and what comes of them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openPlayVariables, type Answer, type Question } from '../src/ansible/play-variables.ts';
import { formatPosition } from '../src/errors.ts';
import { readPlayRequest } from '../src/play/request.ts';
import { FAILURE_HINTS } from '../src/matrix/hints.ts';
import { OWN_WORD_HIDDEN } from '../src/report/hidden.ts';
import { formatPlayFaults, formatPlayResult } from '../src/report/play.ts';
import { blankOutcome, type Outcome } from '../src/report/types.ts';
import { hideSecret } from '../src/secret.ts';
import { InputError } from '../src/errors.ts';
import { ROLES } from './helpers/role.ts';

const AT = ['/p/host_vars/h/vars.yml', 3, 7] as const;
const VARIABLES: Readonly<Record<string, Answer>> = {
  whole: { value: { at: null, plain: '12345678901234567890', type: '_AnsibleTaggedInt' } },
  part: { value: { at: null, plain: '1.0', type: 'float' } },
  no: { value: { at: null, plain: 'False', type: 'bool' } },
  nothing: { value: { at: null, plain: 'None', type: 'NoneType' } },
  day: { value: { at: AT, plain: '2024-01-01', type: '_AnsibleTaggedDate' } },
  marked: { value: { at: AT, text: '{{ x }}', template: false } },
  map: {
    value: {
      at: AT,
      map: [
        [
          { at: AT, text: 'k', template: true },
          { at: null, text: '{{ x }}', template: true },
        ],
        [
          { at: null, plain: 'True', type: 'bool' },
          { at: null, list: [{ vault: '$A' }] },
        ],
      ],
    },
  },
  missing: { error: "'missing'" },
};

function open(): { asked: Question[]; variables: ReturnType<typeof openPlayVariables> } {
  const asked: Question[] = [];
  const answers = new Map(Object.entries(VARIABLES));
  const variables = openPlayVariables(
    (question) => {
      asked.push(question);
      if ('raw' in question) return answers.get(question.raw) ?? {};
      if (question.render[0] !== 'map') return { error: "what 'a.b' is undefined and a secret" };
      return { value: { at: null, text: '{{ not again }}', template: true } };
    },
    { host: 'h', show: (path) => path.replace('/p/', '') },
  );
  return { asked, variables };
}

test('values keep their type and place; what has none has that of what holds it', () => {
  const { asked, variables } = open();
  const valueOf = (name: string): unknown => {
    const node = variables.find(name)?.entry.value;
    return node?.kind === 'scalar' ? node.value : node?.kind;
  };
  assert.equal(valueOf('whole'), 12345678901234567890n);
  assert.equal(valueOf('part'), 1);
  assert.equal(valueOf('no'), false);
  assert.equal(valueOf('nothing'), null);
  assert.deepEqual(valueOf('day'), { iso: '2024-01-01' });
  assert.equal(variables.find('missing'), null);
  assert.equal(variables.find('missing'), null);
  assert.equal(asked.length, 6, 'each is asked for once');
  const marked = variables.find('marked')?.entry.value;
  assert.ok(marked?.kind === 'scalar' && marked.tag === 'unsafe');
  assert.equal(formatPosition(marked.at), 'host_vars/h/vars.yml:3:7');
  const nothing = variables.find('nothing');
  assert.equal(formatPosition(nothing?.entry.at ?? marked.at), 'variable nothing of host h');
});

test('one value is rendered, by its path, once; nothing of the answer is a template', () => {
  const { asked, variables } = open();
  const map = variables.find('map')?.entry.value;
  assert.ok(map?.kind === 'map');
  const [first, second] = map.entries;
  assert.ok(first !== undefined && second?.value.kind === 'seq');
  const vaulted = second.value.items[0];
  assert.ok(vaulted?.kind === 'scalar' && vaulted.tag === 'vault');
  for (const _ of [1, 2]) {
    const rendered = variables.render(first.value);
    assert.ok(rendered.kind === 'value' && rendered.node.kind === 'scalar');
    assert.equal(rendered.node.tag, 'unsafe');
    assert.equal(formatPosition(rendered.node.at), 'host_vars/h/vars.yml:3:7');
  }
  assert.deepEqual(asked, [{ raw: 'map' }, { render: ['map', 'k'] }]);
});

test('the role has its settings checked without showing them', () => {
  const request = {
    names: [],
    secrets: [],
    check_mode: true,
    diff: false,
    async_val: 0,
    run_once: null,
  };
  const read = (value: unknown) =>
    readPlayRequest(JSON.stringify({ ...request, args: { fail_on_deferred: value } }));
  assert.equal(read(true).failOnDeferred, true);
  assert.equal(read('False').failOnDeferred, false);
  assert.equal(read(true).check, true);
  assert.throws(
    () => read('canary'),
    (error) => error instanceof InputError && !error.message.includes('canary'),
  );
});

test('a result is one line in ASCII, without secrets', () => {
  hideSecret('the-söcret-of-a-user');
  const at = { file: 'variable x of host h', line: 0, column: 0 };
  const fault = { code: 'E_VALUE', at, found: 'the-söcret-of-a-user\u2028', wanted: 'ä' } as const;
  const faults = formatPlayFaults([fault]);
  assert.match(faults, /^[\x20-\x7e]+\n$/);
  assert.equal(
    (JSON.parse(faults) as { result: { msg: string } }).result.msg,
    'variable x of host h: <redacted>\u2028 [E_VALUE]\n  wanted: ä\nnothing was tried for this host',
  );
  const report = {
    task: 'provision',
    check: false,
    outcomes: [],
    leftovers: [],
    notes: ['the-söcret-of-a-user'],
    interrupted: null,
  } as const;
  const load = [{ file: '/the-söcret-of-a-user/x.yml', own: true, names: [] }];
  const options = { diff: false, failOnDeferred: true, fail: true, load, standIns: [] };
  const { result } = JSON.parse(formatPlayResult(report, options)) as {
    result: Readonly<Record<string, unknown>>;
  };
  assert.deepEqual(result['warnings'], ['<redacted>', OWN_WORD_HIDDEN]);
  // What the role works with has to work.
  assert.deepEqual(result['load'], load);
});

test('the bridge in Python stays as thin as it is meant to be', () => {
  const file = join(ROLES, 'matrix_tokens/action_plugins/matrix_tokens.py');
  assert.ok(readFileSync(file, 'utf8').split('\n').length - 1 <= 60);
});

test('a play is told in words of a play, in the right number', () => {
  const place = { file: 'x.yml', line: 1, column: 1 };
  const one = blankOutcome({ host: 'h', service: 'rss', defined_at: place });
  const resultOf = (outcomes: readonly Outcome[], notes: readonly string[] = []) => {
    const report = {
      task: 'provision',
      check: false,
      outcomes,
      leftovers: [],
      notes,
      interrupted: null,
    } as const;
    const options = { diff: false, failOnDeferred: true, fail: false, load: [], standIns: [] };
    const line = formatPlayResult(report, options);
    assert.doesNotMatch(line, /--max-wait/);
    return (JSON.parse(line) as { result: { msg: string; warnings: string[] } }).result;
  };
  assert.equal(resultOf([]).msg, 'no service wants a token');
  assert.equal(resultOf([one]).msg, 'no service got a new token: the one that wants one has it');
  const two = [one, { ...one, service: 'b' }];
  assert.equal(resultOf(two).msg, 'no service got a new token: the 2 that want one have it');
  const hint = FAILURE_HINTS.M_LIMIT_EXCEEDED ?? '';
  const late: Outcome = { ...one, outcome: 'deferred', hint };
  const note = 'or allow more with --max-wait 60 (in vars: matrix_tokens_max_wait)';
  const { msg, warnings } = resultOf([late], [note]);
  assert.equal(msg, 'no service got a new token, though 1 wants one');
  assert.deepEqual(warnings, ['or allow more with matrix_tokens_max_wait: 60']);
  assert.equal(resultOf([{ ...one, outcome: 'changed' }]).msg, '1 of 1 service got a token');
});

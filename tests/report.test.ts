import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Fault } from '../src/errors.ts';
import {
  formatFaults,
  formatFaultsJson,
  formatJson,
  formatText,
  orderFaults,
  PLAIN,
} from '../src/report.ts';
import type { Report } from '../src/report.ts';
import type { Outcome, OutcomeWord } from '../src/report/types.ts';
import { hideSecret, Secret } from '../src/secret.ts';

const ok: Outcome = {
  host: 'matrix.example.com',
  service: 'rss',
  defined_at: { file: 'host_vars/matrix.example.com/vars.yml', line: 3, column: 3 },
  outcome: 'ok',
  user_id: '@bot.rss:example.com',
  server_name: 'example.com',
  message: 'the token is there',
  code: null,
  hint: null,
  file: 'host_vars/matrix.example.com/vault_matrix_tokens/rss.yml',
  variables: [],
  install_tag: null,
};

function reportOf(outcomes: readonly Partial<Outcome>[], more: Partial<Report> = {}): Report {
  return {
    task: 'provision',
    check: false,
    outcomes: outcomes.map((one) => ({ ...ok, ...one })),
    leftovers: [],
    notes: [],
    interrupted: null,
    ...more,
  };
}

const textOf = (report: Report): string => formatText(report, PLAIN);
const lastLine = (text: string): string | undefined => text.trimEnd().split('\n').at(-1);

test('the recap counts every outcome, a line a homeserver', () => {
  const words: OutcomeWord[] = [
    'ok',
    'ok',
    'changed',
    'failed',
    'unreachable',
    'skipped',
    'deferred',
    'unknown',
  ];
  const text = textOf(reportOf(words.map((outcome) => ({ outcome }))));
  assert.match(
    text,
    /^example\.com {14}: ok=2 changed=1 unreachable=1 failed=1 skipped=1 deferred=1 unknown=1$/m,
  );
  const two = textOf(reportOf([{}, { server_name: 'example.org', outcome: 'failed' }]));
  assert.match(two, /^example\.com {14}: ok=1 changed=0 unreachable=0 failed=0 skipped=0$/m);
  assert.match(two, /^example\.org {14}: ok=0 changed=0 unreachable=0 failed=1 skipped=0$/m);
});

test('what matters most stands last, and after it the next command', () => {
  const outcomes = (
    ['failed', 'changed', 'ok', 'skipped', 'unreachable', 'deferred', 'unknown'] as const
  ).map((outcome) => ({ outcome, service: outcome }));
  const heads = textOf(reportOf(outcomes))
    .split('\n')
    .map((line) => /^(\w+): \[/.exec(line)?.[1]);
  assert.deepEqual(heads.filter(Boolean), [
    'skipped',
    'ok',
    'unknown',
    'changed',
    'deferred',
    'unreachable',
    'failed',
  ]);
});

test('the last line is the next command to run, where there is one', () => {
  const next = (report: Report): string => lastLine(textOf(report)) ?? '';
  assert.match(next(reportOf([{}])), /^example\.com/);
  assert.match(next(reportOf([{ outcome: 'changed' }])), /^next: run your playbook/);
  const tagged = reportOf([
    { outcome: 'changed', install_tag: 'install-x' },
    { outcome: 'changed', install_tag: 'install-x' },
  ]);
  assert.match(next(tagged), /--tags=install-x,start/);
  assert.match(next(reportOf([{ outcome: 'failed' }, { outcome: 'changed' }])), /^next: mend/);
  assert.match(next(reportOf([{ outcome: 'failed' }, { outcome: 'deferred' }])), /^next: .* later/);
  assert.match(
    next(reportOf([{}], { interrupted: 'SIGINT' })),
    /^next: run the same command again/,
  );
  assert.match(next(reportOf([{ outcome: 'changed' }], { check: true })), /without --check$/);
  assert.match(next(reportOf([{ outcome: 'unknown' }], { check: true })), /^next: give the vault/);
  assert.match(next(reportOf([{}], { check: true })), /^example\.com/);
});

test('no line is wider than a terminal but for what cannot be broken', () => {
  const words = fc
    .array(fc.stringMatching(/^[a-z./:-]{1,20}$/), { minLength: 1, maxLength: 40 })
    .map((all) => all.join(' '));
  fc.assert(
    fc.property(words, words, words, (message, hint, note) => {
      const leftovers = [{ host: 'h', service: 's', user_id: '@u:d', device_id: 'D', message }];
      const report = reportOf([{ outcome: 'failed', message, hint, code: 'CODE' }], {
        leftovers,
        notes: [note],
      });
      const at = { file: 'inventory/hosts.yml', line: 3, column: 7 };
      const faults = formatFaults(
        [{ code: 'E_VALUE', at, found: message, wanted: note, fix: hint }],
        PLAIN,
      );
      for (const line of `${textOf(report)}${faults}`.split('\n')) assert(line.length < 80, line);
    }),
  );
});

test('breaking a sentence changes nothing but white space, and no command', () => {
  const command =
    "mv 'a file' 'another file with a rather long name' && echo this line goes on and on for long";
  const quoted = '`password: "{{ vault_of_a_service_access_token }}"`';
  const fix = `a sentence that is long enough to be broken somewhere before ${quoted} or after it:\n${command}`;
  const text = formatFaults([{ code: 'E_VALUE', found: 'x', fix }], PLAIN);
  assert(text.includes(command));
  assert(text.includes(quoted));
  assert.equal(
    text.split('fix: ')[1]?.split('\n1 error')[0]?.replaceAll(/\s+/g, ' '),
    fix.replaceAll(/\s+/g, ' '),
  );
});

test('colors do not change where lines are broken', () => {
  const found = 'word '.repeat(40).trim();
  const painted = formatFaults([{ code: 'E_VALUE', found }], {
    paint: (color, text) => `<${color}>${text}</${color}>`,
  });
  assert(painted.includes('<red>error:</red>'));
  assert.equal(
    painted.replaceAll(/<\/?red>/g, ''),
    formatFaults([{ code: 'E_VALUE', found }], PLAIN),
  );
});

test('each fault is told once, those of a file together and from top to bottom', () => {
  const fault = (file: string | null, line: number, found = 'x'): Fault => ({
    code: 'E_VALUE',
    at: file === null ? undefined : { file, line, column: 1 },
    found,
  });
  const told = orderFaults([
    fault('b', 9),
    fault('a', 2),
    fault('b', 1),
    fault('a', 10),
    fault('a', 2),
    fault('a', 2, 'y'),
    fault(null, 0),
  ]);
  assert.deepEqual(
    told.map(({ at, found }) => [at?.file, at?.line, found]),
    [
      [undefined, undefined, 'x'],
      ['b', 1, 'x'],
      ['b', 9, 'x'],
      ['a', 2, 'x'],
      ['a', 2, 'y'],
      ['a', 10, 'x'],
    ],
  );
});

test('the count of faults stands last', () => {
  assert.equal(
    lastLine(formatFaults([{ code: 'E_VALUE', found: 'x' }], PLAIN)),
    '1 error; nothing was tried',
  );
  const two: Fault[] = [
    { code: 'E_VALUE', found: 'x' },
    { code: 'E_VALUE', found: 'y' },
  ];
  assert.equal(lastLine(formatFaults(two, PLAIN)), '2 errors; nothing was tried');
});

test('a report is JSON in ASCII that says the same', () => {
  const report = reportOf([
    { message: 'naïve \u2028 \u{1f600}' },
    { outcome: 'changed', variables: ['a'] },
  ]);
  const text = formatJson(report, 3);
  assert.match(text, /^[\n -~]*\n$/);
  const json = JSON.parse(text) as Record<string, unknown>;
  assert.deepEqual(
    [json['exit_code'], json['changed'], json['check'], json['interrupted']],
    [3, true, false, null],
  );
  assert.deepEqual(json['services'], report.outcomes);
});

test('a secret that got into a report is not printed, in text and in JSON', () => {
  const secret = new Secret('canary "of" the report').reveal();
  const report = reportOf([{ outcome: 'failed', message: `x ${secret} y`, hint: secret }], {
    notes: [secret],
  });
  const faults: Fault[] = [{ code: 'E_VALUE', found: secret, wanted: secret, fix: secret }];
  const run = { task: 'provision', check: false, exitCode: 5 } as const;
  const printed = [
    textOf(report),
    formatJson(report, 1),
    formatFaults(faults, PLAIN),
    formatFaultsJson(faults, run),
  ];
  for (const text of printed) {
    assert.doesNotMatch(text, /canary|report"/);
    assert.match(text, /<redacted>/);
  }
});

test('a secret that is also a word of the report is hidden there, which a note says once', () => {
  const noteIn = (text: string): number => text.split('and is hidden there').length - 1;
  const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');
  assert.equal(noteIn(flat(textOf(reportOf([{}])))), 0);
  hideSecret('rss-as-a-name');
  const named = reportOf([{ service: 'rss-as-a-name' }, { host: 'rss-as-a-name' }]);
  assert.equal(noteIn(flat(textOf(named))), 1);
  assert.equal(noteIn(formatJson(named, 0)), 1);
  // A word of ours alone.
  hideSecret('RECAP');
  assert.equal(noteIn(flat(textOf(reportOf([{}])))), 1);
  assert.equal(noteIn(formatJson(reportOf([{}]), 0)), 0);
  hideSecret('redacted');
  assert.doesNotMatch(textOf(named), /<<|<re</);
});

test('what changed is to be installed, also where something else has to be mended first', () => {
  const changed = { outcome: 'changed', install_tag: 'install-x' } as const;
  const ends = (more: Partial<Report>, ...others: Partial<Outcome>[]): string[] =>
    textOf(reportOf([changed, ...others], more))
      .trimEnd()
      .split('\n')
      .slice(-3);
  const also = [
    'also: run your playbook, so that the services get their new tokens',
    '      (--tags=install-x,start)',
  ];
  for (const outcome of ['failed', 'unreachable', 'deferred'] as const) {
    const [first, second, last = ''] = ends({}, { outcome });
    assert.deepEqual([first, second], also);
    assert.match(last, /^next: .* the same command again/);
  }
  const interrupted = ends({ interrupted: 'SIGINT' });
  assert.deepEqual(interrupted.slice(0, 2), also);
  assert.match(interrupted[2] ?? '', /^next: run the same command again; what was obtained/);
  // Nothing has changed yet.
  assert.doesNotMatch(textOf(reportOf([changed], { check: true })), /also:|playbook/);
  const rekey = textOf(reportOf([changed, { outcome: 'failed' }], { task: 'rekey' }));
  assert.match(rekey, /^also: give Ansible the new vault password, too.*\n.*\nnext: mend/m);
});

test('a session that was left is told in lines as wide as the others', () => {
  const left = {
    host: 'matrix.a-rather-long-name.example.com',
    service: 'a_service_with_a_name',
    user_id: '@bot.with.a.long.name:example.com',
    device_id: 'DEVICE',
    message: 'x',
  };
  const text = textOf(reportOf([{}], { leftovers: [left] }));
  assert.match(text, /^a session was left behind: .{1,51}\n {2}.{1,77}$/m);
});

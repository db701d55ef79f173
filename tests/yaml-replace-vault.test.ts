// Other envelopes in the place of inline vault values: everything else stays byte for byte.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { InputError } from '../src/errors.ts';
import { scalarText } from '../src/yaml/node.ts';
import type { ScalarNode, YamlNode } from '../src/yaml/node.ts';
import { parseYaml } from '../src/yaml/parse.ts';
import { replaceVaults } from '../src/yaml/replace-vault.ts';
import { compareWithAnsible, toTyped } from './helpers/ansible-loader.ts';
import { ansibleSkip } from './helpers/python.ts';

const OLD = '$ANSIBLE_VAULT;1.1;AES256\n3132\n3334\n';
const NEW = '$ANSIBLE_VAULT;1.2;AES256;dev\n61626364\n65\n66\n';
const OTHER = '$ANSIBLE_VAULT;1.2;AES256;prod\n77\n';

const skip = await ansibleSkip();

/** `@X@` and `@Y@` stand for the lines of an envelope, each with what stands before on its line. */
function fill(text: string, x: string): string {
  return text.replaceAll(/^([ \t]*)@([XY])@(\r?)$/gm, (_, margin: string, name, end: string) => {
    const lines = (name === 'X' ? x : OTHER).trimEnd().split('\n');
    return lines.map((line) => margin + line).join(`${end || lineEnd(text)}\n`) + end;
  });
}

function lineEnd(text: string): string {
  return text.includes('\r\n') ? '\r' : '';
}

function vaultsIn(node: YamlNode | null): ScalarNode[] {
  if (node?.kind === 'map') return node.entries.flatMap(({ value }) => vaultsIn(value));
  if (node?.kind === 'seq') return node.items.flatMap(vaultsIn);
  return node?.tag === 'vault' ? [node] : [];
}

/** Replaces every value that is OLD. */
function replace(text: string): string {
  const old = vaultsIn(parseYaml(text, 'f')).filter(
    ({ value }) => scalarText(value).trim() === OLD.trim(),
  );
  const nodes = new Map(old.map((node) => [`${node.at.line}:${node.at.column}`, node]));
  assert.ok(nodes.size > 0, 'there is something to replace');
  const replacements = [...nodes.values()].map((node) => ({ node, envelope: NEW }));
  return replaceVaults(text, 'f', replacements);
}

const BLOCKS: Readonly<Record<string, string>> = {
  alone: 'a: !vault |\n  @X@\n',
  'with the margin of encrypt_string': 'a: !vault |\n          @X@\nb: 0644\n',
  'among others': '# c\nb: !vault |\n  @Y@\na: !vault |   \n    @X@\n\n\n# d\nc:  [1,  2]\n',
  twice: 'a: !vault |\n  @X@\nb: !vault |\n   @X@\n',
  'in maps and lists':
    'bots:\n- rss:\n    token:   !vault |\n       @X@\n    x: 1e3\n- - !vault |\n    @X@\n',
  'with a comment behind the bar': 'a: !vault | # why\n  @X@\nb: yes\n',
  'with indicators': 'a: !vault |-\n  @X@\nb: !vault |+\n  @X@\n\nc: !vault |2\n  @X@\n',
  'with the line ends of Windows': 'a: 1\r\nb: !vault |\r\n  @X@\r\nc: "x"\r\n',
  'without a last line end': 'a: 1\nb: !vault |\n  @X@',
  'of Windows without a last line end': 'a: 1\r\nb: !vault |\r\n  @X@',
  'between marks': '---\na: !vault |\n  @X@\n...\n',
  'after a byte order mark': '\ufeffa: !vault |\n  @X@\n',
  'under an anchor': 'a: &x !vault |\n  @X@\nb: *x\nc: {d: *x}\n',
  'the tag on a line of its own': 'a:\n  !vault\n  |\n  @X@\nb: 1\n',
  'under a merge key': 'base: &b\n  t: !vault |\n    @X@\nc:\n  <<: *b\n  u: 1\n',
  'under keys in quotes': '\'a b\': !vault |\n  @X@\n"c": !vault |\n  @X@\n',
  'with empty lines behind it': 'a: !vault |\n  @X@\n \n\n\nb: 1\n',
};

for (const [name, text] of Object.entries(BLOCKS)) {
  test(`a block is replaced: ${name}`, () => {
    assert.equal(replace(fill(text, OLD)), fill(text, NEW));
  });
}

const QUOTED: Readonly<Record<string, string>> = {
  'in a list': `a: [!vault @, 1]\n`,
  'in a map': `a: {b: !vault @, c: {d: !vault @}} # c\n`,
  'behind a key': `a: !vault @\nb: 0644\n`,
  JSON: `{\n"a": {"__ansible_vault": @},  "b": 1e3 }\n`,
};

for (const [name, text] of Object.entries(QUOTED)) {
  test(`text in double quotes is replaced: ${name}`, () => {
    const with_ = (envelope: string): string => text.replaceAll('@', JSON.stringify(envelope));
    assert.equal(replace(with_(OLD)), with_(NEW));
    assert.equal(replace(with_(OLD.trimEnd())), with_(NEW.trimEnd()));
  });
}

test('what Ansible reads afterwards is what we say', { skip }, async () => {
  const texts = Object.values(BLOCKS).map((text) => replace(fill(text, OLD)));
  const read = (text: string): unknown => toTyped(parseYaml(text, 'f'));
  const { agreed, different, refused } = await compareWithAnsible('yaml', texts, read);
  assert.deepEqual(
    { agreed, different, refused },
    { agreed: texts.length, different: [], refused: [] },
  );
});

const UNFIT: Readonly<Record<string, string>> = {
  'quotes over several lines': 'b: 1\na: !vault "$ANSIBLE_VAULT;1.1;AES256\n\n  3132\n\n  3334"\n',
  'other escapes': 'b: 1\na: !vault "$ANSIBLE_VAULT;1.1;AES256\\x0A3132\\n3334"\n',
  'single quotes': "b: 1\na: !vault '$ANSIBLE_VAULT;1.1;AES256\n\n  3132\n\n  3334'\n",
};

for (const [name, text] of Object.entries(UNFIT)) {
  test(`refused with its place: ${name}`, () => {
    assert.throws(
      () => replace(text),
      (error) => {
        assert.ok(error instanceof InputError);
        assert.deepEqual(
          error.faults.map(({ code, at }) => [code, at?.line]),
          [['E_NO_SAFE_SPLICE', 2]],
        );
        assert.doesNotMatch(JSON.stringify(error.faults), /3132/);
        return true;
      },
    );
  });
}

test('a value that does not stand where it was read is not replaced', () => {
  const text = fill('a: !vault |\n  @X@\nb: 1\n', OLD);
  const [node] = vaultsIn(parseYaml(text, 'f'));
  assert.ok(node !== undefined);
  for (const other of [text.replace('3334', '3335'), `\n${text}`, 'a: 1\n']) {
    assert.throws(() => replaceVaults(other, 'f', [{ node, envelope: NEW }]), InputError);
  }
});

test('whatever stands around them, only the envelopes change', () => {
  const margin = fc.integer({ min: 1, max: 12 }).map((count) => ' '.repeat(count));
  const head = fc.constantFrom('|', '|-', '|+', '| # c', '|  ');
  const vault = fc.constantFrom('X', 'Y');
  const piece = fc.oneof(
    fc.tuple(head, margin, vault).map(([bar, left, name]) => `: !vault ${bar}\n${left}@${name}@`),
    fc
      .tuple(head, margin, vault)
      .map(([bar, left, name]) => `:\n  b: 1\n  c: !vault ${bar}\n  ${left}@${name}@`),
    fc.tuple(margin, vault).map(([left, name]) => `:\n- !vault |\n${left}@${name}@\n- "x"`),
    fc.constantFrom(
      ': 0644',
      ':   [1,  2] # c',
      ': |\n  text\n   more\n',
      ': "a\\n"',
      ': >-\n  a\n\n  b',
    ),
  );
  const gap = fc.constantFrom('', '\n', '# comment\n', '\n \n# comment\n');
  const document = fc
    .array(fc.tuple(gap, piece), { minLength: 1, maxLength: 8 })
    .map((pieces) => pieces.map(([before, text], index) => `${before}k${index}${text}\n`).join(''));
  const text = fc
    .tuple(document, fc.boolean(), fc.constantFrom('', '---\n'), fc.constantFrom('', '...\n'))
    .map(([body, isWindows, begin, end]) => {
      const whole = `${begin}a: !vault |\n  @X@\n${body}${end}`;
      return isWindows ? whole.replaceAll('\n', '\r\n') : whole;
    });
  fc.assert(
    fc.property(text, (one) => {
      assert.equal(replace(fill(one, OLD)), fill(one, NEW));
    }),
    { numRuns: 500 },
  );
});

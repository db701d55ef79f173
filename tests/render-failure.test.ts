import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainRenderError } from '../src/ansible/render-failure.ts';

test('of what Ansible says, only the kind and a name of the template are told', () => {
  const old = 'An unhandled exception occurred while templating. ';
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    [
      "Error while resolving value for 'msg': 'nope' is undefined",
      '{{ nope + 1 }}',
      "'nope' is not defined",
    ],
    ["'canary' is undefined", '{{ other }}', 'a variable is not defined'],
    ["'canary' is undefined", "{{ x ~ 'canary' }}", 'a variable is not defined'],
    [
      "Syntax error in template: No filter named 'f'.",
      '{{ 1 | f }}',
      "there is no filter or test 'f'",
    ],
    [
      `${old}Could not load "f": 'f'. String: {{ 1 | f }}. Could not load "f": 'f'`,
      '{{ 1 | f }}',
      "there is no filter or test 'f'",
    ],
    [
      "No filter named 'canary'.",
      '{{ [1] | map(name) }}',
      'there is no filter or test of a name in it',
    ],
    [
      "The lookup plugin 'canary' was not found.",
      '{{ lookup(x) }}',
      'there is no such lookup plugin',
    ],
    [
      "object of type 'dict' has no attribute 'canary'",
      '{{ a[b] }}',
      'a value has no such attribute',
    ],
    ["Syntax error in template: unexpected 'canary'", '{{ x }', 'a syntax error'],
    ['something about a canary', '{{ canary }}', undefined],
    ['', '{{ canary }}', undefined],
  ];
  for (const [message, template, said] of cases) {
    assert.equal(explainRenderError(message, template), said, message);
    assert.doesNotMatch(said ?? '', /canary/);
  }
});

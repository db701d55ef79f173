// Fuzz target: the variables of a host, from an inventory to a plan.
import * as fc from 'fast-check';
import { readDefinitions } from '../../src/definitions.ts';
import { planServices } from '../../src/plan.ts';
import { locateServices } from '../../src/target.ts';
import { withFolder } from './folder.ts';
import { checkError, defineTarget } from './fuzz.ts';
import { CANARY } from './fuzz-texts.ts';
import { loadHosts } from './inventory.ts';

const odd = fc.oneof(
  fc.constantFrom<unknown>(null, true, 5, 1.5, [], {}, ['x'], { x: 1 }),
  fc.constantFrom<unknown>(
    ...'¦x¦{{ x }}¦{{ a.b }}¦{{ x | default(1) }}¦@a:b¦@a:example.org¦https://x.org¦http://x'.split(
      '¦',
    ),
    ...'TODO¦../x¦/etc/x¦a/b.yml¦\0'.split('¦'),
  ),
);
const secret = fc.constantFrom<unknown>(
  CANARY,
  '{{ vault_x }}',
  { file: 'x' },
  { env: 'NAME' },
  { command: ['pass', 'x'] },
  { prompt: true },
);
/** Mostly one of these, for much to be read and planned; else anything. */
function mostly(...good: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...good) }, odd);
}

const place = mostly('vault_x', 'vault_y', ['bots', 'a', 'token'], ['bots', 'b'], ['bots', '5']);

const service = fc.oneof(
  { weight: 1, arbitrary: odd },
  {
    weight: 20,
    arbitrary: fc.record(
      {
        password: fc.oneof({ weight: 20, arbitrary: secret }, odd),
        user: mostly('bot.a', '@b:example.com', '@c:example.org', '{{ x }}'),
        variables: fc.oneof(
          {
            weight: 20,
            arbitrary: fc.record({ access_token: place, device_id: place }, { requiredKeys: [] }),
          },
          odd,
        ),
        device_id: mostly('DEVICE', 'OTHER'),
        vault_file: mostly('host_vars/example/x.yml', 'files/x.yml', 'files/y.yml'),
        vault_format: mostly('file', 'inline'),
        homeserver: mostly('example.org', 'https://matrix.example.org'),
        enabled: mostly(true, false, '{{ vault_x }}'),
        kind: mostly('bot', 'bridge'),
        service: mostly('draupnir', 'baibot'),
      },
      { requiredKeys: ['password'] },
    ),
  },
);

const variables = fc.record(
  {
    matrix_domain: mostly('example.com'),
    matrix_tokens_services: fc.oneof(
      {
        weight: 20,
        arbitrary: fc.dictionary(fc.constantFrom('rss', 'draupnir', 'baibot', 'uvs'), service, {
          maxKeys: 3,
        }),
      },
      odd,
    ),
    matrix_tokens_services_more: fc.dictionary(fc.constantFrom('rss2', 'other'), service, {
      maxKeys: 1,
    }),
    matrix_tokens_defaults: mostly({}, { enabled: true }, { vault_format: 'file' }),
    matrix_tokens_homeserver_url: mostly('https://matrix.example.com', 'http://127.0.0.1:8008'),
    matrix_tokens_max_wait: mostly(5, 600),
    matrix_bot_baibot_config_user_password: mostly(null, CANARY),
    vault_rss_access_token: mostly(null, 'TODO', CANARY, '{{ vault_x }}'),
    vault_x: mostly(null, 'TODO', CANARY),
    bots: fc.constantFrom<unknown>(null, {}, { a: null }, { a: { token: CANARY } }),
    x: mostly('bot.x'),
  },
  { requiredKeys: ['matrix_domain', 'matrix_tokens_services'] },
);

const definitions = defineTarget(
  { name: 'definitions', about: 'variables of a host, from an inventory to a plan', runs: 10_000 },
  fc.tuple(
    variables,
    fc.oneof({ weight: 20, arbitrary: fc.constant({}) }, fc.record({ matrix_tokens_service: odd })),
  ),
  async ([usual, stray]) => {
    const vars = { ...usual, ...stray };
    const told: string[] = [];
    const files = { 'inv/hosts.yml': JSON.stringify({ all: { hosts: { example: vars } } }) };
    await withFolder(files, async (cwd) => {
      try {
        const { services } = await readDefinitions(await loadHosts(cwd), null);
        planServices(await locateServices(services, { cwd, env: {}, decrypt: null }));
        told.push('planned');
      } catch (error) {
        checkError(error);
        told.push(`refused ${error.faults[0]?.code}`);
      }
    });
    return told[0] ?? 'nothing';
  },
);

export const definitionTargets = [definitions] as const;

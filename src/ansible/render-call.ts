// One call of `ansible -m debug`. Its environment is chosen so that nothing of what it renders gets
// into a log, a cache or the output of a callback plugin.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Layer } from './layer.ts';
import { toInventoryJson } from './render-data.ts';
import type { RenderRequest } from './render-request.ts';

/** Runs a program with its arguments as they stand; its stderr is dropped. */
export type RunWithInput = (
  file: string,
  args: readonly string[],
  options: { readonly input: string; readonly env: Readonly<Record<string, string>> },
) => Promise<{ readonly exitCode: number; readonly stdout: Buffer }>;

export interface CallOptions {
  /** Gives the inventories as `-i` takes them, in their order. */
  readonly inventory: () => readonly string[];
  readonly playbookDir: string;
  /** Options that name vault password files; no passwords. */
  readonly vaultArguments: readonly string[];
  readonly run: RunWithInput;
}

/** What Ansible said, by host. */
export interface Answers {
  /** Hosts for which it failed are not among them. */
  readonly answers: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** Messages of hosts for which it failed. They may quote values: they are not to be shown. */
  readonly errors: ReadonlyMap<string, string>;
}

/** What keeps a program of Ansible from telling anybody but us. */
export const QUIET: Readonly<Record<string, string>> = {
  ANSIBLE_CACHE_PLUGIN: 'memory',
  // An empty list is an error.
  ANSIBLE_CALLBACKS_ENABLED: 'minimal',
  ANSIBLE_CALLBACK_RESULT_FORMAT: 'json',
  ANSIBLE_DEBUG: 'false',
  ANSIBLE_LOAD_CALLBACK_PLUGINS: 'false',
  ANSIBLE_LOG_PATH: '/dev/null',
  ANSIBLE_NOCOLOR: 'true',
  ANSIBLE_RETRY_FILES_ENABLED: 'false',
  ANSIBLE_STDOUT_CALLBACK: 'minimal',
  ANSIBLE_VERBOSITY: '0',
  LC_ALL: 'C.UTF-8',
};

/** Says what it is given; Ansible runs it and takes what it says for an inventory. */
const FEED = '#!/bin/sh\nexec cat\n';

/** Longer lists of hosts might not fit into the arguments of a program. */
const LONGEST_PATTERN = 60_000;

/** Gives the key under which the answer to a request stands. Ansible would render a key with Jinja. */
export function answerKey(index: number): string {
  return `value_${index}`;
}

/** Renders the requests. Gives no answers where Ansible cannot be run. */
export async function callAnsible(
  requests: readonly RenderRequest[],
  program: string,
  options: CallOptions,
): Promise<Answers> {
  const folder = await mkdtemp(join(tmpdir(), 'matrix-tokens-'));
  try {
    const feed = join(folder, 'feed');
    await writeFile(feed, FEED, { mode: 0o700 });
    const extra = (requests[0]?.host.layers ?? []).filter(({ kind }) => kind === 'extra');
    const args = [
      patternOf(requests),
      ...[...options.inventory(), feed].flatMap((source) => ['-i', source]),
      '--playbook-dir',
      options.playbookDir,
      ...options.vaultArguments,
      ...extra.flatMap((layer, index) => ['-e', extraArgument(layer, index)]),
      '-m',
      'debug',
      '-a',
      'msg={{ matrix_tokens_render }}',
    ];
    const input = inventoryJson(requests, extra);
    const { stdout } = await options.run(program, args, { input, env: QUIET });
    return parseAnswers(stdout.toString('utf8'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A name with characters that mean something in a pattern cannot be named. */
function patternOf(requests: readonly RenderRequest[]): string {
  const names = [...new Set(requests.map(({ host }) => host.name))];
  const pattern = names.join(',');
  const isPlain = names.every((name) => /^\w[\w.-]*$/.test(name));
  return isPlain && pattern.length < LONGEST_PATTERN ? pattern : 'all';
}

/** What was given as text goes through stdin, too: here it is only referred to. */
function extraArgument(layer: Layer, index: number): string {
  if (layer.path !== null) return `@${layer.path}`;
  const references = variableNames(layer).map((name) => [
    name,
    `{{ matrix_tokens_extra_${index}['${name}'] }}`,
  ]);
  return JSON.stringify(Object.fromEntries(references));
}

function variableNames({ vars }: Layer): string[] {
  return [...(vars?.keys() ?? [])].filter((name) => /^[A-Za-z_]\w*$/.test(name));
}

function inventoryJson(requests: readonly RenderRequest[], extra: readonly Layer[]): string {
  const given = extra.flatMap((layer, index) =>
    layer.path === null ? [`"matrix_tokens_extra_${index}":${layerJson(layer)}`] : [],
  );
  const templates = new Map<string, string[]>();
  for (const [index, { host, node }] of requests.entries()) {
    const pair = `"${answerKey(index)}":${toInventoryJson(node)}`;
    templates.set(host.name, [...(templates.get(host.name) ?? []), pair]);
  }
  const hosts = [...templates].map(([name, pairs]) => {
    const vars = [...given, `"matrix_tokens_render":{${pairs.join(',')}}`];
    return `${JSON.stringify(name)}:{${vars.join(',')}}`;
  });
  const names = JSON.stringify([...templates.keys()]);
  return `{"all":{"hosts":${names}},"_meta":{"hostvars":{${hosts.join(',')}}}}\n`;
}

function layerJson(layer: Layer): string {
  const pairs = variableNames(layer).flatMap((name) => {
    const entry = layer.vars?.get(name);
    return entry === undefined ? [] : [`${JSON.stringify(name)}:${toInventoryJson(entry.value)}`];
  });
  return `{${pairs.join(',')}}`;
}

/**
 * Reads blocks of `host | SUCCESS => {`, indented JSON and `}`. In JSON no line of a text begins at
 * the margin, so that no value can look like the end of a block.
 */
function parseAnswers(text: string): Answers {
  const answers = new Map<string, Readonly<Record<string, unknown>>>();
  const errors = new Map<string, string>();
  for (const match of text.matchAll(/^(\S.*) \| (SUCCESS|FAILED!) => (\{\n(?: .*\n)*\})$/gm)) {
    const [, host = '', word, json = ''] = match;
    const msg = messageOf(json);
    if (word === 'FAILED!') errors.set(host, typeof msg === 'string' ? msg : '');
    else if (typeof msg === 'object' && msg !== null) {
      answers.set(host, msg as Record<string, unknown>);
    }
  }
  return { answers, errors };
}

function messageOf(json: string): unknown {
  try {
    return (JSON.parse(json) as { msg?: unknown }).msg;
  } catch {
    return null;
  }
}

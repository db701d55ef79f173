// Jinja that only Ansible can render: values are noted when they are needed, and then rendered in
// one call of `ansible` for all hosts. Names of variables stand in its arguments, values never: the
// templates go to it through its stdin, by an inventory program that holds nothing by itself, and
// what it renders comes back through a pipe.
import { scalarText, type ScalarNode, type YamlNode } from '../yaml/node.ts';
import { answerKey, callAnsible, type CallOptions } from './render-call.ts';
import type { RenderHost, RenderRequest } from './render-request.ts';
import { fromPlain } from './render-data.ts';
import { explainRenderError } from './render-failure.ts';

export type Rendered =
  | { readonly kind: 'value'; readonly node: YamlNode }
  /** Ansible was asked and could not; perhaps it said which name is not defined. */
  | { readonly kind: 'failed'; readonly undefinedName?: string; readonly reason?: string }
  /** It will be known after `renderNoted`. */
  | { readonly kind: 'noted' }
  /** There is no Ansible. */
  | { readonly kind: 'unavailable' };

export interface Renderer {
  /** A vault password was typed, and Ansible does not get it. */
  readonly lacksTyped: boolean;
  /** Gives what a template of the host renders to, or notes it. */
  find(host: RenderHost, node: ScalarNode): Rendered;
  /** Renders what was noted; gives false, at once, where nothing was. */
  renderNoted(): Promise<boolean>;
}

export interface RendererOptions extends CallOptions {
  readonly lacksTyped: boolean;
}

/** Makes a renderer for a run; with `program: null` there is no Ansible. */
export function createRenderer(options: RendererOptions, program: () => string | null): Renderer {
  const known = new Map<string, Rendered>();
  const noted = new Map<string, RenderRequest>();
  let found: string | null | undefined;
  return {
    lacksTyped: options.lacksTyped,
    find(host, node) {
      found ??= program();
      if (found === null) return { kind: 'unavailable' };
      const key = keyOf(host, node);
      const rendered = known.get(key);
      if (rendered === undefined) noted.set(key, { key, host, node });
      return rendered ?? { kind: 'noted' };
    },
    async renderNoted() {
      if (noted.size === 0 || typeof found !== 'string') return false;
      const requests = [...noted.values()];
      noted.clear();
      for (const [key, value] of await renderAll(requests, found, options)) known.set(key, value);
      return true;
    },
  };
}

function keyOf(host: RenderHost, { at, value }: ScalarNode): string {
  return JSON.stringify([host.name, at.file, at.line, at.column, scalarText(value)]);
}

/** One value that fails makes its host fail: then each value of such a host is tried by itself. */
async function renderAll(
  requests: readonly RenderRequest[],
  program: string,
  options: RendererOptions,
): Promise<Map<string, Rendered>> {
  const { done, failed } = await renderTogether(requests, program, options);
  const rounds = new Map<number, RenderRequest[]>();
  const seen = new Map<string, number>();
  for (const request of requests.filter(({ key }) => !done.has(key))) {
    const round = seen.get(request.host.name) ?? 0;
    seen.set(request.host.name, round + 1);
    rounds.set(round, [...(rounds.get(round) ?? []), request]);
  }
  const isAlone = rounds.size === 1;
  for (const round of isAlone ? [] : rounds.values()) {
    const alone = await renderTogether(round, program, options);
    for (const [key, value] of alone.done) done.set(key, value);
    for (const [key, value] of alone.failed) failed.set(key, value);
  }
  return new Map([...failed, ...done]);
}

async function renderTogether(
  requests: readonly RenderRequest[],
  program: string,
  options: CallOptions,
): Promise<{ readonly done: Map<string, Rendered>; readonly failed: Map<string, Rendered> }> {
  const { answers, errors } = await callAnsible(requests, program, options);
  const done = new Map<string, Rendered>();
  const failed = new Map<string, Rendered>();
  for (const [index, { key, host, node }] of requests.entries()) {
    const values = answers.get(host.name);
    const name = answerKey(index);
    if (values === undefined || !Object.hasOwn(values, name)) {
      const reason = explainRenderError(errors.get(host.name) ?? '', scalarText(node.value));
      failed.set(key, { kind: 'failed', ...(reason === undefined ? {} : { reason }) });
      continue;
    }
    done.set(key, { kind: 'value', node: fromPlain(values[name], node.at) });
  }
  return { done, failed };
}

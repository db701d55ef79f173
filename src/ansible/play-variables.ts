// The variables of a host in a running play, asked for one by one.
import type { Position } from '../errors.ts';
import { scalarText, type MapEntry, type ScalarNode, type YamlNode } from '../yaml/node.ts';
import { toNode, toRendered, type SentValue, type ValuePath } from './play-values.ts';
import { explainRenderError } from './render-failure.ts';
import type { Rendered } from './render.ts';

/** What the role's action plugin is asked, and waits for the next one. */
export type Question = { readonly raw: string } | { readonly render: ValuePath };

/** What it answers; without a value: there is none, or Ansible could not render it. */
export interface Answer {
  readonly value?: SentValue;
  readonly error?: string;
}

export type Ask = (question: Question) => Answer;

/** A variable as Ansible has it. */
export interface PlayVariable {
  readonly entry: MapEntry;
  /** The file, or what else Ansible says of where it comes from; null: it does not tell. */
  readonly origin: string | null;
}

export interface PlayVariables {
  /** Gives a variable unrendered; null where there is none. Each is asked for once. */
  find(name: string): PlayVariable | null;
  /** Renders a value that came from `find`. */
  render(node: YamlNode): Rendered;
}

export interface PlayOptions {
  readonly host: string;
  /** Gives the name of a file for messages. */
  readonly show: (path: string) => string;
}

/** What Jinja says of a name that is missing; nothing else of what Ansible says is repeated. */
const UNDEFINED = /'([A-Za-z_][\w.]{0,100})' is undefined/;

/** Gives the variables of a host. */
export function openPlayVariables(ask: Ask, { host, show }: PlayOptions): PlayVariables {
  const found = new Map<string, PlayVariable | null>();
  const rendered = new Map<string, Rendered>();
  const paths = new WeakMap<YamlNode, ValuePath>();
  const onTemplate = (node: ScalarNode, path: ValuePath): void => {
    paths.set(node, path);
  };
  const read = (name: string): PlayVariable | null => {
    const { value } = ask({ raw: name });
    if (value === undefined) return null;
    const at: Position = { file: `variable ${name} of host ${host}`, line: 0, column: 0 };
    const node = toNode(value, { path: [name], at }, { show, onTemplate });
    return { entry: { at: node.at, key: name, value: node }, origin: value.at?.[0] ?? null };
  };
  return {
    find(name) {
      const known = found.get(name);
      if (known !== undefined) return known;
      const variable = read(name);
      found.set(name, variable);
      return variable;
    },
    render(node) {
      const path = paths.get(node);
      if (path === undefined) return { kind: 'unavailable' };
      const key = JSON.stringify(path);
      const known = rendered.get(key) ?? toAnswer(ask({ render: path }), node);
      rendered.set(key, known);
      return known;
    },
  };
}

function toAnswer({ value, error = '' }: Answer, node: YamlNode): Rendered {
  const { at } = node;
  if (value !== undefined) return { kind: 'value', node: toRendered(value, at) };
  const undefinedName = UNDEFINED.exec(error)?.[1];
  if (undefinedName !== undefined) return { kind: 'failed', undefinedName };
  const template = node.kind === 'scalar' ? scalarText(node.value) : '';
  const reason = explainRenderError(error, template);
  return reason === undefined ? { kind: 'failed' } : { kind: 'failed', reason };
}

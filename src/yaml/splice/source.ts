// A text with what the YAML package knows of its places. The tokens that nodes were made of are kept,
// since nodes forget where colons, tags and comments stand.
import { isAlias, isCollection, isScalar, visit } from 'yaml';
import type { CST, Document, Node, Pair } from 'yaml';
import { openDocument } from '../document.ts';
import { parseJson } from '../json.ts';
import { createLocate } from '../position.ts';
import type { Locate } from '../position.ts';

export interface Source {
  readonly text: string;
  readonly locate: Locate;
  readonly contents: Node | null;
  /** It has to stay JSON. `{}` alone says so only in a file of that name. */
  readonly isJson: boolean;
  /** Names of anchors that an alias refers to. */
  readonly aliased: ReadonlySet<string>;
  /** Where scalars stand. */
  readonly scalars: readonly (readonly [start: number, end: number])[];
}

/** A key with its value, and the tokens between them. */
export type SourcePair = Pair<Node, Node | null>;

/**
 * Opens a text that `parseYaml` reads, without its byte order mark: behind one, nothing is JSON. Gives
 * null for JSON that the YAML package cannot read.
 */
export function openSource(
  text: string,
  { file, hasMark }: { readonly file: string; readonly hasMark: boolean },
): Source | null {
  const locate = createLocate(text, file);
  const isEmpty = /^\s*\{\s*\}\s*$/.test(text);
  const mayBeJson = !hasMark && (!isEmpty || file.endsWith('.json'));
  const isJson = mayBeJson && parseJson(text, locate) !== undefined;
  const { document } = openDocument(text, locate, { keepSourceTokens: true });
  if (document.errors.length > 0) return null;
  return { text, locate, contents: document.contents, isJson, ...inspect(document) };
}

function inspect(document: Document.Parsed): Pick<Source, 'aliased' | 'scalars'> {
  const aliased = new Set<string>();
  const scalars: [number, number][] = [];
  visit(document, {
    Node(_, node) {
      if (isAlias(node)) aliased.add(node.source);
      else if (isScalar(node) && node.range != null) scalars.push([node.range[0], node.range[1]]);
    },
  });
  return { aliased, scalars };
}

/** Is this map or value one that other places of the file take over? */
export function isShared({ aliased }: Source, node: Node): boolean {
  return (isScalar(node) || isCollection(node)) && aliased.has(node.anchor ?? '');
}

/** The tokens of a pair; every pair of a parsed text has them. */
export function tokensOf(pair: SourcePair): CST.CollectionItem {
  if (pair.srcToken === undefined) throw new TypeError('a pair without its tokens');
  return pair.srcToken;
}

/** The token of a map or list. */
export function tokenOf(node: Node): CST.Token {
  if (node.srcToken === undefined) throw new TypeError('a node without its token');
  return node.srcToken;
}

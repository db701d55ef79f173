// YAML (and JSON) files as Ansible's loader reads them.
import { InputError } from '../errors.ts';
import type { Fault } from '../errors.ts';
import { compose } from './compose.ts';
import { openDocument } from './document.ts';
import type { OpenedDocument } from './document.ts';
import { MOST_FAULTS, syntaxFault, yamlFault } from './faults.ts';
import { checkDocument } from './libyaml.ts';
import { parseJson } from './json.ts';
import type { YamlNode } from './node.ts';
import { createLocate } from './position.ts';
import type { Locate } from './position.ts';
import { parseSimple } from './simple.ts';

/** May stand before a text, and is no part of it. */
export const BYTE_ORDER_MARK = '\ufeff';

/**
 * Characters that libyaml refuses, and line breaks that only YAML 1.1 knows (a lone CR, U+0085,
 * U+2028, U+2029): they end a comment for Ansible, but not for the YAML package.
 */
const BAD_CHARACTER =
  /\r(?!\n)|[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/gu;

/**
 * Reads a YAML or JSON text as Ansible's loader would. Gives null for an empty document.
 * Aliases are followed, merge keys are merged, `!vault` and `!unsafe` are noted on the scalars.
 * @throws InputError E_YAML (E_UNSUPPORTED for tags of Ansible that are not read) with all faults
 * of the file: what Ansible cannot read, a key twice in one map, a key that is a map or list.
 * @see https://docs.ansible.com/ansible/latest/reference_appendices/YAMLSyntax.html
 */
export function parseYaml(text: string, file: string): YamlNode | null {
  return parseSimple(text, file) ?? parseFull(text, file);
}

/** Reads a text with the YAML package, as parseYaml does for what is not plain. */
export function parseFull(text: string, file: string): YamlNode | null {
  const body = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  const locate = createLocate(body, file);
  // Python's JSON reader refuses the mark, so that Ansible goes on to YAML.
  const json = body === text ? parseJson(body, locate) : undefined;
  const node = json ?? parseBody(body, locate);
  return node === null || (node.kind === 'scalar' && node.value === null) ? null : node;
}

function parseBody(text: string, locate: Locate): YamlNode | null {
  failOn([...text.matchAll(BAD_CHARACTER)].map((match) => badCharacter(match, locate)));
  const opened = openDocument(text, locate);
  failOn(syntaxFaults(opened, locate));
  const { document } = opened;
  const faults = checkDocument(document, text).map(({ offset, wrong }) =>
    yamlFault(locate(offset), wrong.found, undefined, wrong.fix),
  );
  const { contents } = document;
  const node = contents === null ? null : compose(contents, text, locate, faults);
  failOn(faults);
  return node;
}

function badCharacter(match: RegExpMatchArray, locate: Locate): Fault {
  const code = (match[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return yamlFault(
    locate(match.index ?? 0),
    `the character U+${code}`,
    'text with LF or CRLF line ends and no control characters',
    'remove it, or write it as an escape in double quotes',
  );
}

function syntaxFaults({ document, second }: OpenedDocument, locate: Locate): Fault[] {
  const { errors, warnings, directives } = document;
  const badDirectives = warnings.filter(({ code }) => code === 'BAD_DIRECTIVE');
  const faults = [...errors, ...badDirectives].map(({ code, pos }) =>
    syntaxFault(code, locate(pos[0])),
  );
  const hasTagDirective = Object.keys(directives.tags).length > 1;
  if (hasTagDirective) faults.push(syntaxFault('BAD_DIRECTIVE', locate(0)));
  if (second !== null) faults.push(syntaxFault('MULTIPLE_DOCS', locate(second)));
  return faults;
}

function failOn(faults: readonly Fault[]): void {
  if (faults.length > 0) throw new InputError(faults.slice(0, MOST_FAULTS));
}

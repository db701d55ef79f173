// The patterns that a limit matches names with: shell globs as Python's fnmatch reads them, and
// regular expressions as far as Python and JavaScript mean the same by them.

/** Tells whether a name matches. */
export type NameTest = (name: string) => boolean;

const CLASS = String.raw`\[\^?(?:[A-Za-z0-9]-[A-Za-z0-9]|[\w.@:, ]|\\[-.\\[\]^dws])+-?\]`;
const REPEAT = String.raw`(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})\??(?![*+?{])`;
const PLAIN = String.raw`\\[-.^$*+?()[\]{}|/\\dDwWsSbB]|[^\\[\](){}*+?]`;
const TOKEN = new RegExp(String.raw`${CLASS}|${REPEAT}|${PLAIN}|\(\?[:=!]|\((?!\?)|\)`, 'y');

/** Gives null for a glob with a class of characters that is not plain, such as `[z-a]`. */
export function compileGlob(glob: string): NameTest | null {
  let source = '';
  for (let rest = glob; rest !== '';) {
    const [all = '', not = '', members] = /^\[(!?)(\]?[^\]]*)\]/.exec(rest) ?? [];
    if (members === undefined || members === '') {
      const character = String.fromCodePoint(rest.codePointAt(0) ?? 0);
      source += globCharacter(character);
      rest = rest.slice(character.length);
      continue;
    }
    if (!/^-?(?:[A-Za-z0-9]-[A-Za-z0-9]|[^-])*-?$/.test(members)) return null;
    if (hasEmptyRange(members)) return null;
    source += `[${not === '' ? '' : '^'}${members.replaceAll(/[\\\]^[]/g, String.raw`\$&`)}]`;
    rest = rest.slice(all.length);
  }
  return tester(`^${source}$`, 'su');
}

function globCharacter(character: string): string {
  if (character === '*') return '.*';
  if (character === '?') return '.';
  return character.replace(/[\\^$.*+?()[\]{}|/]/, String.raw`\$&`);
}

function hasEmptyRange(members: string): boolean {
  const ranges = members.matchAll(/([A-Za-z0-9])-([A-Za-z0-9])/g);
  return [...ranges].some(([, from = '', to = '']) => from > to);
}

/** Gives null for what Python may read in another way than JavaScript. It matches at the start. */
export function compileRegex(regex: string): NameTest | null {
  let source = '';
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < regex.length) {
    const token = TOKEN.exec(regex)?.[0];
    if (token === undefined) return null;
    source += token === String.raw`\-` ? '-' : token;
  }
  return tester(`^(?:${source})`, 'u');
}

function tester(source: string, flags: string): NameTest | null {
  try {
    const regex = new RegExp(source, flags);
    return (name) => regex.test(name);
  } catch {
    return null;
  }
}

// Why Ansible could not render a template. Its messages may quote values, so that no more is taken of
// them than the kind of error and a name that stands in the template itself.

const KINDS: readonly (readonly [RegExp, (name: string | null) => string])[] = [
  [
    /'([A-Za-z_]\w{0,60})' is undefined$/,
    (name) => (name === null ? 'a variable is not defined' : `'${name}' is not defined`),
  ],
  [
    /No (?:filter|test) named '([A-Za-z_][\w.]{0,60})'\.?$/,
    (name) => `there is no filter or test ${name === null ? 'of a name in it' : `'${name}'`}`,
  ],
  [
    /Could not load "([A-Za-z_][\w.]{0,60})": '\1'$/,
    (name) => `there is no filter or test ${name === null ? 'of a name in it' : `'${name}'`}`,
  ],
  [/has no attribute '\w+'\.?$/, () => 'a value has no such attribute'],
  [/lookup plugin .{1,200} not found\.?$/, () => 'there is no such lookup plugin'],
  [/template error while templating string|Syntax error in template/, () => 'a syntax error'],
];

/** Gives what went wrong in words, or undefined where the message is of no known kind. */
export function explainRenderError(message: string, template: string): string | undefined {
  // What stands in quotes is a value.
  const names: readonly string[] =
    template.replaceAll(/'[^']*'|"[^"]*"/g, ' ').match(/[A-Za-z_][\w.]*/g) ?? [];
  for (const [pattern, say] of KINDS) {
    const match = pattern.exec(message.trim());
    if (match === null) continue;
    const name = match[1];
    return say(name !== undefined && names.includes(name) ? name : null);
  }
  return undefined;
}

// The runners of GitHub and Forgejo read what a step prints on stdout and stderr, and take some lines
// for commands. What a server says may hold such lines.
// @see https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands

/**
 * Gives a text for people in which a runner finds no command: `::` at the beginning of a line, and,
 * of old, `##[` anywhere.
 */
export function withoutCommands(text: string): string {
  return text.replaceAll('##[', '# #[').replaceAll(/^([^\S\n]*):(?=:)/gmu, '$1: ');
}

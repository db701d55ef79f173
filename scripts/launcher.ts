// The first two lines of the bundle, which are shell and JavaScript at once: `sh` runs `:` and then
// what follows; JavaScript sees a hashbang, a string and a comment.

/** What could make Node print, store or preload something around a run that handles secrets. */
const DROPPED = [
  'NODE_OPTIONS',
  'NODE_DEBUG',
  'NODE_DEBUG_NATIVE',
  'NODE_V8_COVERAGE',
  'NODE_REDIRECT_WARNINGS',
  'NODE_REPL_EXTERNAL_MODULE',
  'NODE_PATH',
];

/**
 * Forbids core files, cleans the environment, and runs the file itself with node: the one in PATH, or
 * the one that the role was told.
 */
export const LAUNCHER = `#!/bin/sh
':' //; ulimit -c 0; unset ${DROPPED.join(' ')}; exec "\${MATRIX_TOKENS_NODE:-node}" "$0" "$@"
`;

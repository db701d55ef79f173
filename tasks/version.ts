/** The version of this package; a test compares it with package.json. */
export const VERSION = '0.1.0';

/** Tells whether a Node of this version lacks what is used here. */
export function isTooOld(node: string): boolean {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  return major < 20 || (major === 20 && minor < 19);
}

// The ways to log in, in alphabetical order. A new one is a file beside this one and a line here.
import type { LoginMethod } from './method.ts';
import { password } from './password.ts';
import { sharedSecret } from './shared-secret.ts';

export const LOGIN_METHODS: readonly LoginMethod[] = [password, sharedSecret];

/** Gives the method of a name that the schema has let through. Throws an Error for any other. */
export function loginMethod(name: string): LoginMethod {
  const method = LOGIN_METHODS.find((one) => one.name === name);
  if (method === undefined) throw new Error(`no such way to log in: ${name}`);
  return method;
}

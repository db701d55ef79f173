// Which keys hold secrets: what stands there is neither opened nor shown before it is needed.
import { LOGIN_METHODS } from '../matrix/login/registry.ts';

/** Keys of a service. */
export const SERVICE_SECRETS: ReadonlySet<string> = new Set(
  LOGIN_METHODS.flatMap(({ secret }) => (secret.of === 'service' ? [secret.key] : [])),
);

/** Variables of a host, each with the one key of it that is a secret. */
export const HOST_SECRETS: ReadonlyMap<string, string> = new Map([
  ...LOGIN_METHODS.flatMap(({ secret }) =>
    secret.of === 'host' ? [[secret.variable, secret.key] as const] : [],
  ),
  ['matrix_tokens_register', 'shared_secret'],
]);

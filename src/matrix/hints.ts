// What an operator can do about a failure, by its code. Where nothing helps but looking at the
// homeserver's log, there is no hint.
import type { KnownCode } from './failure.ts';

export const FAILURE_HINTS: Readonly<Partial<Record<KnownCode, string>>> = {
  DEVICE_MISMATCH: 'remove device_id from the definition, or update the homeserver',
  DNS: 'check the name; if the homeserver lives elsewhere, set matrix_tokens_homeserver_url',
  INTERRUPTED: 'run again: what is done already stays done',
  NETWORK: 'check the route and the firewall of this machine',
  NOT_MATRIX:
    'let the reverse proxy route /_matrix to the homeserver, or mend matrix_tokens_homeserver_url',
  PROTOCOL: 'check that matrix_tokens_homeserver_url has the right scheme and port',
  PROXY: 'check HTTPS_PROXY and HTTP_PROXY, or name the homeserver in NO_PROXY',
  REDIRECT: 'set matrix_tokens_homeserver_url to the address that it leads to, if you trust it',
  REFUSED: 'check that the homeserver runs, and the port in matrix_tokens_homeserver_url',
  REGISTER_NOT_OFFERED:
    'set `registration_shared_secret` on the homeserver, and `url` of matrix_tokens_register to where its /_synapse/admin is reachable, if need be through a tunnel',
  REGISTER_SECRET: 'compare it with `registration_shared_secret` of the homeserver',
  RESET: 'run again; if it stays so, look into the logs of the homeserver and its reverse proxy',
  SERVER_ERROR: 'look into the logs of the homeserver and its reverse proxy, then run again',
  TIMEOUT:
    'check that the homeserver is not overloaded and no firewall drops packets, then run again',
  TLS: 'for a private CA set matrix_tokens_ca_file; otherwise renew or correct the certificate',
  TOO_LARGE: 'check that matrix_tokens_homeserver_url is the address of the homeserver',
  USER_MISMATCH:
    'write the user ID exactly as the homeserver does, with its capital and small letters',
  M_EXCLUSIVE: 'a user of an appservice has no password: the bridge uses its as_token',
  M_FORBIDDEN:
    'check the user ID and the password; it is not tried again, since failed logins lock a user out',
  M_INVALID_USERNAME: 'check the user ID: its server has to be this homeserver',
  M_LIMIT_EXCEEDED:
    'run again later, or allow more with --max-wait (in vars: matrix_tokens_max_wait)',
  M_NOT_FOUND: 'create the user on the homeserver first',
  M_UNRECOGNIZED: 'check matrix_tokens_homeserver_url and what the reverse proxy routes',
  M_USER_DEACTIVATED: 'name another user, or let an administrator reactivate this one',
  M_USER_LIMIT_EXCEEDED: 'log old sessions of the user out',
  M_USER_IN_USE: 'check its password',
  M_USER_LOCKED: 'let an administrator of the homeserver unlock the user',
  M_USER_SUSPENDED: 'let an administrator of the homeserver end the suspension',
  M_WEAK_PASSWORD: 'give the user a longer password; Dendrite wants eight characters',
};

/** Of TLS, where the other side does not speak it at all. */
export const NO_TLS_HINT =
  'check the port; if plain HTTP is meant, set matrix_tokens_homeserver_url to http://…, beyond loopback with matrix_tokens_allow_http: true';

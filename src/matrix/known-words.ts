// Words of the protocol that decide something. They are known before anything is asked, so that one
// in an answer gives no secret away, even if a password happens to be a part of it.

/** The login types that are used here or explained. */
export const LOGIN_TYPES: readonly string[] = [
  'm.login.password',
  'm.login.sso',
  'm.login.token',
  'm.login.application_service',
  'com.devture.shared_secret_auth',
];

/** What homeservers call themselves, in small letters. */
export const PRODUCTS = ['conduit', 'continuwuity', 'dendrite', 'synapse', 'tuwunel'] as const;

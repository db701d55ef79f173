// The table behind "no secret leaks": error paths × channels × forms.
//
// - An error path is what goes wrong: which request gets which answer. A NEW ONE IS ONE LINE in
//   ERROR_PATHS of tests/secrecy.test.ts, such as
//     'registering is refused': { on: /^POST .*\/register$/, status: 403, options: {…} },
//   `options` make the homeserver and the definitions (ServicesOptions: `keys` are further keys of
//   every definition, `vars` further lines of the host's vars), `faults` what has to happen first.
//   Whatever is a secret in what passes becomes a canary by itself: values of the keys in SECRET_KEYS
//   of the request's body and of the real answer, and the Authorization header; where none passes,
//   the password of a user, which the homeserver knows of old.
// - A channel is where the homeserver hands secrets back: CHANNELS, all at once.
// - A form is how it writes them: secret-forms.ts. A run has one service a form, so that every form is
//   the beginning of a text of its own, and is not cut off behind others. Runs take turns in a ninth
//   of the forms each, but for the path that matters most; tests/http-secrets.test.ts tries every
//   answer in every form without a whole run.
//
// After the run no secret may stand, in any form, in stdout, stderr, the JSON, the files written, or
// in /proc of the run and its children while it lasted.
import type { OutgoingHttpHeaders } from 'node:http';
import type { HomeserverFault } from '../../scripts/homeserver/faults.ts';
import type { Passing, Rewrites } from './provision-proxy.ts';
import { HOST, servicesFor } from './provision-services.ts';
import type { Cleanup } from './provision-project.ts';
import type { Services, ServicesOptions } from './provision-services.ts';
import { FORM_NAMES, forHeader, inForm } from './secret-forms.ts';
import type { FormName } from './secret-forms.ts';

/** Keys of JSON whose values are secret. */
const SECRET_KEYS = /^(?:password|access_token|refresh_token|token|mac|nonce)$/;

export interface ErrorPath {
  /** `METHOD path` of the requests that go wrong. */
  readonly on: RegExp;
  /** Default: that of the real answer. */
  readonly status?: number;
  /** Default: M_FORBIDDEN. A function: made of the secrets. */
  readonly errcode?: string | ((secrets: readonly string[]) => string);
  /** In place of the JSON that CHANNELS make. */
  readonly body?: (echo: Echo) => string;
  /** Further headers. */
  readonly headers?: (echo: Echo) => OutgoingHttpHeaders;
  readonly options?: ServicesOptions;
  readonly vars?: readonly string[];
  readonly faults?: readonly HomeserverFault[];
}

/** What a channel may use: the secrets of one exchange, in the form of its service. */
export interface Echo {
  readonly passing: Passing;
  /** In clear. */
  readonly secrets: readonly string[];
  /** In the form. */
  readonly text: string;
  readonly headerText: string;
}

/** Where secrets are handed back. */
const CHANNELS = {
  statusMessage: ({ headerText }: Echo): string => headerText.slice(0, 500),
  headers: ({ headerText, secrets: [first = ''] }: Echo): OutgoingHttpHeaders => ({
    'content-type': 'application/json',
    'x-echo': headerText,
    'www-authenticate': `Bearer ${headerText}`,
    location: `/elsewhere/${encodeURIComponent(headerText)}?token=${encodeURIComponent(first)}`,
    'set-cookie': `session=${encodeURIComponent(headerText)}`,
    link: `<https://example.org/${encodeURIComponent(headerText)}>; rel="next"`,
  }),
  body: ({ text, secrets }: Echo): Record<string, unknown> => ({
    error: text,
    [text]: text,
    secrets,
    more: { deep: { deeper: [text] } },
    flows: [{ type: text.replaceAll(/[^\w.-]/g, '') }],
    versions: [text],
    retry_after_ms: 1,
  }),
};

/** Gives the numbers of the forms of a run: all, or the ninth part that is its turn. */
export function formsFor(turn: number | 'all'): number[] {
  const all = FORM_NAMES.map((_form, index) => index);
  return turn === 'all' ? all : all.filter((index) => index % 9 === turn % 9);
}

/** Makes one service a form; each has a password of its own. */
export async function secrecyServices(
  t: Cleanup,
  { options = {}, vars = [], faults = [] }: ErrorPath,
  { vaultPassword, forms }: { readonly vaultPassword: string; readonly forms: readonly number[] },
): Promise<Services> {
  const names = forms.map((index) => `form${index}`);
  const services = await servicesFor(t, {
    names,
    passwordOf: (name) => `cänary of ${name} "a/b" 1+2=3 & 100%`,
    vaultPassword,
    ...options,
  });
  services.homeserver.faults.push(...faults);
  const file = `host_vars/${HOST}/vars.yml`;
  const text = await services.project.read(file);
  await services.project.write(file, text + vars.map((line) => `${line}\n`).join(''));
  return services;
}

/** Hands secrets back on an error path; `found` gets every one that passed. */
export function echoing(path: ErrorPath, found: Set<string>, { homeserver }: Services): Rewrites {
  const users = [...homeserver.state.users.values()];
  let turn = 0;
  return {
    answer: (passing) => {
      const passed = secretsIn(passing);
      for (const secret of passed) found.add(secret);
      if (!path.on.test(passing.request)) return {};
      // A retry takes the next user.
      const user = users[(turn += 1) % users.length];
      const secrets = passed.length > 0 ? passed : [user?.password ?? ''];
      return echo(path, passing, { secrets, form: formOf(passing, user?.localpart ?? '') });
    },
  };
}

function echo(
  path: ErrorPath,
  passing: Passing,
  { secrets, form }: { readonly secrets: readonly string[]; readonly form: FormName },
): Partial<Passing> {
  const text = secrets.map((secret) => inForm(form, secret)).join(' ');
  const made: Echo = { passing, secrets, text, headerText: forHeader(text) };
  const errcode = typeof path.errcode === 'function' ? path.errcode(secrets) : path.errcode;
  const body = { errcode: errcode ?? 'M_FORBIDDEN', ...CHANNELS.body(made) };
  return {
    status: path.status ?? passing.status,
    statusMessage: CHANNELS.statusMessage(made),
    headers: { ...CHANNELS.headers(made), ...path.headers?.(made) },
    body: path.body?.(made) ?? JSON.stringify(body),
  };
}

/** The form of the service that a request is for, or else that of a user. */
function formOf({ request, requestBody, authorization, body }: Passing, other: string): FormName {
  const text = `${requestBody} ${decodeURIComponent(request)} ${authorization} ${body} ${other}`;
  const index = Number(/form(\d+)/.exec(text)?.[1] ?? 0);
  return FORM_NAMES[index % FORM_NAMES.length] ?? 'plain';
}

function secretsIn({ requestBody, body, authorization }: Passing): string[] {
  const bearer = authorization?.replace(/^Bearer /, '');
  const all = [bearer, ...valuesIn(requestBody), ...valuesIn(body)];
  return [...new Set(all.filter((one) => one !== undefined && one.length > 3))] as string[];
}

function valuesIn(text: string): string[] {
  const values: string[] = [];
  try {
    JSON.parse(text, (key, value: unknown) => {
      if (SECRET_KEYS.test(key) && typeof value === 'string') values.push(value);
      return value;
    });
  } catch {
    // No JSON, no secrets in it.
  }
  return values;
}

// The forms in which a server may hand a secret back. A new form is one line.

type Form = (secret: string) => string;

const json: Form = (secret) => JSON.stringify(secret).slice(1, -1);
const url: Form = (secret) => encodeURIComponent(secret);
const base64: Form = (secret) => Buffer.from(secret).toString('base64');
const hex: Form = (secret) => Buffer.from(secret).toString('hex');
const inPieces =
  (length: number, separator: string): Form =>
  (secret) =>
    (secret.match(new RegExp(`.{1,${length}}`, 'gsu')) ?? []).join(separator);

export const FORMS = {
  plain: (secret) => secret,
  capitals: (secret) => secret.toUpperCase(),
  json,
  'json in ascii': (secret) =>
    json(secret).replaceAll(
      /[\u007f-\uffff]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  'json twice': (secret) => json(json(secret)),
  url,
  'url in small letters': (secret) =>
    url(secret).replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
  'url of every byte': (secret) => hex(secret).replaceAll(/../g, (byte) => `%${byte}`),
  'url twice': (secret) => url(url(secret)),
  form: (secret) => new URLSearchParams({ v: secret }).toString().slice(2),
  entities: (secret) =>
    secret.replaceAll(/[^\w ]/gu, (c) => `&#${c.codePointAt(0)};`).replaceAll('"', '&quot;'),
  base64,
  'base64 without its end': (secret) => base64(secret).replace(/=+$/, ''),
  base64url: (secret) => Buffer.from(secret).toString('base64url'),
  'base64 of more': (secret) => base64(`?${secret}!`),
  'base64 twice': (secret) => base64(base64(secret)),
  'base64 of json': (secret) => base64(JSON.stringify({ password: secret })),
  'url of base64': (secret) => url(base64(secret)),
  hex,
  'hex in capitals': (secret) => hex(secret).toUpperCase(),
  'hex of base64': (secret) => hex(base64(secret)),
  'over lines': inPieces(5, '\n'),
  'over lines with tabs': inPieces(7, '\r\n\t'),
  'with invisible marks': inPieces(3, '\u200b'),
  'base64 over lines': (secret) => inPieces(16, '\r\n')(base64(secret)),
  'hex over lines': (secret) => inPieces(20, '\n ')(hex(secret)),
  'url over lines': (secret) => inPieces(9, '\n')(url(secret)),
} as const satisfies Readonly<Record<string, Form>>;

export type FormName = keyof typeof FORMS;

export const FORM_NAMES = Object.keys(FORMS) as FormName[];

/** Gives a secret in a form. */
export function inForm(form: FormName, secret: string): string {
  return FORMS[form](secret);
}

/** Gives a text as far as it fits into a header or a reason phrase: other bytes percent-encoded. */
export function forHeader(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]+/gu, (part) => encodeURIComponent(part));
}

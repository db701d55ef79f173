// Looks for secrets in every shape in which they may turn up.
import { FORM_NAMES, inForm } from './secret-forms.ts';

/** Texts to be searched, by where they were found. */
export type Places = Readonly<Record<string, string | Buffer>>;

/** Gives `NAME in PLACE as SHAPE` for each secret that stands somewhere. */
export function findLeaks(secrets: Readonly<Record<string, string>>, places: Places): string[] {
  const leaks: string[] = [];
  const whole = Object.values(places).map(bare).join(' ');
  const texts = Object.entries(places).map(([place, content]) => [place, bare(content)] as const);
  for (const [name, secret] of Object.entries(secrets)) {
    for (const [shape, form] of shapesOf(secret)) {
      const sought = bare(form);
      if (!whole.includes(sought)) continue;
      for (const [place, text] of texts) {
        if (text.includes(sought)) leaks.push(`${name} in ${place} as ${shape}`);
      }
    }
  }
  return leaks;
}

/** Latin-1 keeps bytes apart: a form in UTF-8 is searched as such. Spaces may split what is sought. */
function bare(content: string | Buffer): string {
  return Buffer.from(content)
    .toString('latin1')
    .toLowerCase()
    .replaceAll(/[\0-\x20]+/g, '');
}

function shapesOf(secret: string): [shape: string, form: string][] {
  const bytes = Buffer.from(secret);
  const shapes: [string, string][] = [
    ['itself', secret],
    ['JSON', JSON.stringify(secret).slice(1, -1)],
    ['JSON in ASCII', asciiJson(secret)],
    ['URL', encodeURIComponent(secret)],
    ['form', new URLSearchParams({ v: secret }).toString().slice(2)],
    ['hex', bytes.toString('hex')],
    ['latin1', bytes.toString('latin1')],
    ['quoted for a shell', secret.replaceAll("'", `'\\''`)],
    // What Ansible has in an envelope is hex of hex.
    ['hex twice', Buffer.from(bytes.toString('hex')).toString('hex')],
  ];
  for (const form of FORM_NAMES) shapes.push([form, inForm(form, secret)]);
  for (const shift of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(shift), bytes]);
    const from = shift === 0 ? 0 : 4;
    shapes.push([`base64 at ${shift}`, padded.toString('base64').slice(from, -4)]);
    shapes.push([`base64url at ${shift}`, padded.toString('base64url').slice(from, -4)]);
  }
  // The random part of a token of Synapse or MAS.
  for (const part of secret.split('_')) if (part.length >= 16) shapes.push(['a part', part]);
  return shapes;
}

function asciiJson(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replaceAll(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

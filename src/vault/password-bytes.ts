// A vault password is bytes, a `Secret` holds a string. A password that is not UTF-8 (a key file
// made with `head -c 32 /dev/urandom`) is carried as Python does it: each byte above ASCII as a lone
// surrogate U+DC80 to U+DCFF, which no UTF-8 text can hold, so that the way back is never in doubt.
import { Secret } from '../secret.ts';

const WHITE_SPACE = [0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d];
const LINE_ENDS = [0x0a, 0x0d];

/** Wraps the bytes of a vault password. */
export function bytesToPassword(bytes: Buffer): Secret {
  const text = bytes.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(bytes)) return new Secret(text);
  return new Secret(
    bytes.toString('latin1').replace(/[\x80-\xff]/g, (c) => {
      return String.fromCharCode(0xdc00 + c.charCodeAt(0));
    }),
  );
}

/** Gives the bytes that `bytesToPassword` wrapped; for any other secret its UTF-8. */
export function passwordToBytes(password: Secret): Buffer {
  const text = password.reveal();
  if (!/\p{Surrogate}/u.test(text)) return Buffer.from(text, 'utf8');
  return Buffer.from(text, 'latin1');
}

/** Takes off what Python's `bytes.strip()` takes off. */
export function stripWhiteSpace(bytes: Buffer): Buffer {
  return strip(bytes, WHITE_SPACE);
}

/** Takes off what Python's `bytes.strip(b'\r\n')` takes off. */
export function stripLineEnds(bytes: Buffer): Buffer {
  return strip(bytes, LINE_ENDS);
}

function strip(bytes: Buffer, these: readonly number[]): Buffer {
  const first = bytes.findIndex((byte) => !these.includes(byte));
  if (first < 0) return Buffer.alloc(0);
  return bytes.subarray(first, bytes.findLastIndex((byte) => !these.includes(byte)) + 1);
}

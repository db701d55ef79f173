// The text of the values of one login, as they stand in a vars file.
import type { NewMap } from '../yaml/new-data.ts';
import { formatBlock, formatBlockValue } from '../yaml/write.ts';

/** The values of one login in the form in which they are written: both or neither. */
export interface StoredValues {
  readonly service: string;
  readonly userId: string;
  readonly deviceId: string;
  readonly accessToken: string;
}

/** Gives what begins the comment on the session of a service. */
export function sessionMark(service: string): string {
  return `# matrix-tokens: service=${service} `;
}

/** Gives the comment that tells a later run which session a file's values belong to. */
export function formatSession(values: Omit<StoredValues, 'accessToken'>): string {
  return `${sessionMark(values.service)}user_id=${values.userId} device_id=${values.deviceId}`;
}

/** In a file that somebody keeps by hand it is indented as the values are. */
const SESSION =
  /^\ufeff?[ \t]*# matrix-tokens: service=(\S+) user_id=(\S+) device_id=(\S+)[ \t]*\r?$/gm;

/** Gives the sessions that the comments of a file name, by service; the last one counts. */
export function parseSessions(
  text: string,
): ReadonlyMap<string, { readonly userId: string; readonly deviceId: string }> {
  const sessions = new Map<string, { userId: string; deviceId: string }>();
  for (const [, service = '', userId = '', deviceId = ''] of text.matchAll(SESSION)) {
    sessions.set(service, { userId, deviceId });
  }
  return sessions;
}

/** Is this the text of a file that we made and keep? */
export function isOurs(text: string): boolean {
  return text.startsWith('# matrix-tokens: ');
}

/** Gives the whole text of a file of ours: the comment, then a block map with the values. */
export function formatOwnFile(values: StoredValues, data: NewMap): string {
  return [formatSession(values), ...formatBlock(data, { indent: 0, step: 2 }), ''].join('\n');
}

/** Gives an envelope as an inline `!vault` value behind a key at this indentation. */
export function formatInline(envelope: string, indent: number): string {
  const { head, lines } = formatBlockValue({ kind: 'vault', text: envelope }, { indent });
  return [head, ...lines].join('\n');
}

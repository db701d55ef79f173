// A token that is there is never touched, whoever it belongs to. The comment that we write beside it
// names its user: where vars name another one by now, that is worth a note.
import { readFileSync } from 'node:fs';
import type { Layer } from './ansible/layer.ts';
import { formatPosition } from './errors.ts';
import type { Action } from './plan/types.ts';
import { formatSession, parseSessions, sessionMark } from './store/text.ts';

type PresentAction = Extract<Action, { kind: 'present' }>;
type Sessions = ReturnType<typeof parseSessions>;

/** Gives a sentence for each token that was made for another user or device than is wanted. */
export function ownerNotes(actions: readonly Action[]): string[] {
  // Thousands of values may stand in one file.
  const files = new Map<string, Sessions>();
  return actions.flatMap((action) => {
    if (action.kind !== 'present' || action.holder?.path == null) return [];
    const { path } = action.holder;
    const known = files.get(path);
    const text = known === undefined ? textOf(action, action.holder) : '';
    if (known === undefined && isAsWanted(text, action)) return [];
    const sessions = known ?? parseSessions(text);
    files.set(path, sessions);
    return noteOn(action, sessions);
  });
}

/** Of thousands of files nearly all are like this: one comment, and it is the right one. */
function isAsWanted(text: string, { definition }: PresentAction): boolean {
  const { name: service, userId, deviceId } = definition;
  const line = text.slice(0, Math.max(0, text.indexOf('\n')));
  const wanted = formatSession({ service, userId, deviceId: deviceId ?? '' });
  const isRight = deviceId === null ? line.startsWith(wanted) : line === wanted;
  return isRight && text.indexOf(sessionMark(service), 1) === -1;
}

function noteOn({ definition, accessToken }: PresentAction, sessions: Sessions): string[] {
  const { name, userId, deviceId, host } = definition;
  const session = sessions.get(name);
  if (session === undefined) return [];
  const whose = `the token of ${name} on ${host.name} at ${formatPosition(accessToken.at)}`;
  const advice = 'if a new one is wanted, replace it: docs/replacing-a-token.md';
  if (session.userId !== userId) {
    const owner = isUserId(session.userId) ? session.userId : 'another user';
    return [
      `${whose} was made for ${owner}, by the comment beside it, not for ${userId}; ${advice}`,
    ];
  }
  if (deviceId === null || session.deviceId === deviceId) return [];
  return [
    `${whose} belongs to another device, by the comment beside it, than device_id names (${deviceId}); ${advice}`,
  ];
}

/** What stands in a file is repeated only where it is what it should be. */
function isUserId(text: string): boolean {
  return text.length <= 255 && /^@[!-9;-~]+:[A-Za-z0-9.:[\]-]+$/.test(text);
}

/** In a play Ansible has read the files, and nobody else; whole encrypted ones stay closed. */
function textOf({ definition }: PresentAction, { text, path, encrypted }: Layer): string {
  if (text !== undefined) return text;
  if (definition.host.play === undefined || path === null || encrypted) return '';
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

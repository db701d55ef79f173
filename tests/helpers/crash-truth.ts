// What is true of services and their homeserver after a run, to be held against what it said.
import { join } from 'node:path';
import type { RequestRecord } from '../../scripts/homeserver/homeserver.ts';
import { devicesOf } from '../../scripts/homeserver/state.ts';
import { exitCodeOf } from '../../src/report/exit-code.ts';
import { readJournal } from '../../src/vault/journal.ts';
import { findUntrue } from './crash-claims.ts';
import type { Said, Truth } from './crash-claims.ts';
import { createReader } from './crash-counts.ts';
import type { Contents, Tree } from './crash-counts.ts';
import { reportOf } from './provision-project.ts';
import type { Run } from './provision-project.ts';
import { FILES } from './provision-services.ts';
import type { Services } from './provision-services.ts';
import type { Inside } from './provision-world.ts';

/** Gives what a run said that is not so. */
export type Judge = (said: Said) => Promise<readonly string[]>;

/** Remembers how things are before a run. `folder`: where the file of the token is. */
export function rememberBefore(services: Services, folder: string = FILES): Judge {
  const { project, homeserver } = services;
  const read = createReader(project);
  const tree = project.tree();
  const seen = homeserver.requests.length;
  const known = new Set([...homeserver.state.devices.values()].flatMap((one) => [...one.keys()]));
  return async (said) => {
    const now = project.tree();
    const sessions = sessionsOf(services, (await read(now)).values);
    const { entries } = await readJournal(join(project.folder, folder));
    return findUntrue(said, {
      ...sessions,
      opened: sessions.open.filter((device) => !known.has(device)),
      isUnchanged: isSame(tree, now),
      logins: homeserver.requests.slice(seen).filter(isLogin).length,
      journalled: entries.map((entry) => entry.device_id),
    });
  };
}

/** What a program with --json said; null: nothing that could be read. */
export function saidBy(run: Run): Said {
  const { exitCode, stderr } = run;
  try {
    return { exitCode, stderr, report: reportOf(run) };
  } catch {
    return { exitCode, stderr, report: null };
  }
}

/** What a run inside of the test's process would have said. */
export function saidInside({ report }: Inside): Said {
  const { outcomes, leftovers, notes } = report;
  const whole = { services: outcomes, sessions_left: leftovers, notes, faults: [] };
  return { exitCode: exitCodeOf(report), stderr: '', report: whole };
}

/** Who is logged in, held against what the files say. */
export function sessionsOf(
  { homeserver, names }: Services,
  values: Contents['values'],
): Pick<Truth, 'stored' | 'written' | 'open'> {
  const { sessions } = homeserver.state;
  const written = names.filter((name) => values.has(`vault_${name}_token`));
  const stored = written.filter((name) => {
    const session = sessions.get(values.get(`vault_${name}_token`) ?? '');
    const device = session?.user.localpart === name ? session.device.deviceId : null;
    return device !== null && device === values.get(`vault_${name}_device`);
  });
  const open = names.flatMap((name) => {
    const ids = devicesOf(homeserver.state, `@${name}:${homeserver.serverName}`).keys();
    return [...ids].filter((id) => id !== values.get(`vault_${name}_device`));
  });
  return { written, stored, open };
}

function isLogin({ method, path }: RequestRecord): boolean {
  return method === 'POST' && path.endsWith('/login');
}

function isSame(one: Tree, two: Tree): boolean {
  const files = (tree: Tree): string[] => {
    const kept = [...tree].filter(([path, text]) => text !== null && !path.includes('/.matrix-'));
    return kept.map(([path, text]) => `${path}\n${text}`);
  };
  return files(one).join('\0') === files(two).join('\0');
}

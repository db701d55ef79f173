// Which files Ansible reads by itself as the variables of a host.
import { existsSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import type { Fault, Position } from '../errors.ts';
import type { HostView } from '../inventory.ts';

export const VARS_FOLDERS = ['host_vars', 'group_vars'];

/** What Ansible reads as the variables of a name; without an ending first. */
export const ENDINGS = ['', '.yml', '.yaml', '.json'];

/** A file as vars name it, and as the operator would type it. */
export interface NamedFile {
  readonly file: string;
  readonly shown: string;
  readonly at: Position;
}

/** Will Ansible load this file for the host by itself, once it is there? */
export function wouldBeLoaded(file: string, host: HostView): boolean {
  const bases = rootsOf(host).flatMap((root) => [
    join(root, 'host_vars', host.name),
    ...['all', ...host.groups].map((group) => join(root, 'group_vars', group)),
  ]);
  return bases.some((base) => isFirstOf(file, base) || isLoadedName(relative(base, file)));
}

/** Gives the fault of a file that stands where Ansible looks for vars, but not for this host's. */
export function misplacedFault({ file, shown, at }: NamedFile, host: HostView): Fault | null {
  const kinds = rootsOf(host).map((root) => relative(root, file).split(sep)[0] ?? '');
  const kind = kinds.find((one) => VARS_FOLDERS.includes(one));
  if (kind === undefined) return null;
  const wanted =
    kind === 'host_vars'
      ? `host_vars/${host.name}/NAME.yml`
      : `group_vars/GROUP/NAME.yml with one of its groups (${['all', ...host.groups.filter((group) => group !== 'all')].join(', ')})`;
  return {
    code: 'E_TARGET',
    at,
    found: `vault_file ${shown}, which Ansible does not read for host ${host.name}`,
    wanted: `${wanted}: neither hidden nor a backup, with the ending .yml, .yaml or .json`,
  };
}

function rootsOf({ inventoryFolder, playbookFolder }: HostView): readonly string[] {
  return [inventoryFolder, playbookFolder];
}

function isFirstOf(file: string, base: string): boolean {
  const index = ENDINGS.findIndex((ending) => base + ending === file);
  return index !== -1 && !ENDINGS.slice(0, index).some((ending) => existsSync(base + ending));
}

function isLoadedName(inside: string): boolean {
  const parts = inside.split(sep);
  const name = parts.pop() ?? '';
  if (inside === '' || parts.includes('..') || isAbsolute(inside)) return false;
  const skipped = (part: string): boolean =>
    part.startsWith('.') || part.endsWith('~') || part.includes('$');
  if (parts.some((part) => skipped(part) || part.includes('.'))) return false;
  return !skipped(name) && /^[^.]+$|\.(?:yml|yaml|json)$/.test(name);
}

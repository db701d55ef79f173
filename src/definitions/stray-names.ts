import type { Fault } from '../errors.ts';
import type { HostView } from '../inventory.ts';
import { varsSchema } from './schema.ts';
import { suggest } from './suggest.ts';

/**
 * Gives a fault for each of the host's variables whose name is nearly one of ours:
 * `matrix_token_services` would count as somebody else's, and the run would do nothing.
 */
export function strayNames(host: HostView, names: Iterable<string>): Fault[] {
  const known = Object.keys(varsSchema.properties);
  return [...names].flatMap((name): Fault[] => {
    if (!name.startsWith('matrix_token') || name.startsWith('matrix_tokens_')) return [];
    const entry = host.lookup(name).found?.entry;
    const meant = name === 'matrix_tokens' ? 'matrix_tokens_services' : suggest(name, known);
    if (entry === undefined || meant === undefined) return [];
    return [
      {
        code: 'E_UNKNOWN_KEY',
        at: entry.at,
        found: `the variable '${name}'`,
        wanted: `one of ${known.join(', ')}`,
        fix: `did you mean '${meant}'?`,
      },
    ];
  });
}

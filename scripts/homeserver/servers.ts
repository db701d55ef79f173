// The servers that the embedded homeserver can be. A new one is a file in servers/ and a line here.
import type { ServerManner } from './manner.ts';
import { CONDUIT } from './servers/conduit.ts';
import { CONTINUWUITY } from './servers/continuwuity.ts';
import { DENDRITE } from './servers/dendrite.ts';
import { MAS, MAS_UNREACHABLE } from './servers/mas.ts';
import { SYNAPSE } from './servers/synapse.ts';
import { TUWUNEL } from './servers/tuwunel.ts';

/** Those that log users in with a password. */
export const SOFTWARE = [
  'synapse',
  'mas',
  'dendrite',
  'continuwuity',
  'conduit',
  'tuwunel',
] as const;

export type Software = (typeof SOFTWARE)[number] | 'mas_unreachable';

export const SERVERS: Readonly<Record<Software, ServerManner>> = {
  synapse: SYNAPSE,
  mas: MAS,
  mas_unreachable: MAS_UNREACHABLE,
  dendrite: DENDRITE,
  continuwuity: CONTINUWUITY,
  conduit: CONDUIT,
  tuwunel: TUWUNEL,
};

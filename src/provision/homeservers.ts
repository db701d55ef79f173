// Work is done a homeserver at a time, the homeservers side by side: each has its own client, its
// own discovery and its own queue, so that one that is down or slow holds up nobody else.
import type { HomeserverSettings } from '../definitions/types.ts';
import { settleAll } from '../errors.ts';
import { loadCertificates } from '../matrix/certificates.ts';
import { discoverHomeserver } from '../matrix/discovery.ts';
import { isFailure, type Failure } from '../matrix/failure.ts';
import type { Homeserver } from '../matrix/homeserver.ts';
import { createHttpClient, type HttpClient } from '../matrix/http.ts';
import { createQueue, type Queue } from '../matrix/queue.ts';
import { identifySoftware, type Software } from '../matrix/software.ts';
import type { CreationContext } from './create-user.ts';
import type { Creations } from './creations.ts';
import type { World } from './world.ts';

/** A homeserver that answered, with its client and its queue. */
export interface OpenHomeserver {
  readonly homeserver: Homeserver;
  readonly client: HttpClient;
  readonly queue: Queue;
  /** Gives what it is, as far as it says so; asked at most once. */
  readonly software: () => Promise<Software | null>;
  /** What keeps missing users from being created here. */
  readonly creation: CreationContext['creation'];
}

export interface OpenOptions {
  readonly world: World;
  /** Seconds; undefined: what vars say. */
  readonly maxWait: number | undefined;
  /** Loopback ports that stand for other addresses; tests need them. */
  readonly connectTo?:
    ReadonlyMap<string, { readonly host: string; readonly port: number }> | undefined;
}

/** Names settings that lead to the same homeserver in the same way. */
export function settingsKey(settings: HomeserverSettings): string {
  const { serverName, url, allowHttp, caFile } = settings;
  return JSON.stringify([serverName, url, allowHttp, caFile]);
}

/**
 * Finds every homeserver of the given settings, side by side; those with one base URL share one
 * queue. Gives them by the key of their settings. Throws InputError for a CA file.
 */
export async function openHomeservers(
  all: readonly HomeserverSettings[],
  options: OpenOptions,
): Promise<ReadonlyMap<string, OpenHomeserver | Failure>> {
  const distinct = new Map(all.map((settings) => [settingsKey(settings), settings]));
  const certificates = await readCertificates([...distinct.values()]);
  const shared: SharedParts = new Map();
  const opened = await Promise.all(
    [...distinct].map(async ([key, settings]) => {
      const ca = settings.caFile === null ? undefined : certificates.get(settings.caFile);
      return [key, await open(settings, ca, shared, options)] as const;
    }),
  );
  return new Map(opened);
}

/** What all settings that lead to one homeserver share, by its base URL. */
type SharedParts = Map<string, { readonly queue: Queue; readonly begun: Creations }>;

async function readCertificates(
  all: readonly HomeserverSettings[],
): Promise<ReadonlyMap<string, string>> {
  const files = new Map(
    all.flatMap(({ caFile, caFileAt }) => (caFile === null ? [] : [[caFile, caFileAt] as const])),
  );
  const texts = await settleAll(
    [...files].map(async ([file, at]) => [file, await loadCertificates(file, at)] as const),
  );
  return new Map(texts);
}

async function open(
  settings: HomeserverSettings,
  ca: string | undefined,
  parts: SharedParts,
  options: OpenOptions,
): Promise<OpenHomeserver | Failure> {
  const { world } = options;
  const client = createHttpClient({
    environment: world.env,
    ca,
    now: () => world.now(),
    log: (line) => world.log(line),
    ...(options.connectTo === undefined ? {} : { connectTo: options.connectTo }),
  });
  const queue = makeQueue(settings, options);
  const [homeserver] = await queue.run([
    {
      name: settings.serverName,
      attempt: () =>
        discoverHomeserver(
          {
            serverName: settings.serverName,
            configuredUrl: settings.url ?? undefined,
            allowHttp: settings.allowHttp,
          },
          client,
        ),
    },
  ]);
  if (homeserver === undefined) throw new Error('discovery ended without a result');
  if (isFailure(homeserver)) {
    await client.close();
    return homeserver;
  }
  const shared = parts.get(homeserver.baseUrl) ?? { queue, begun: new Map() };
  parts.set(homeserver.baseUrl, shared);
  let software: Promise<Software | null> | null = null;
  return {
    homeserver,
    client,
    queue: shared.queue,
    software: () => (software ??= identifySoftware(client, homeserver)),
    creation: { obstacle: null, begun: shared.begun },
  };
}

function makeQueue(settings: HomeserverSettings, { world, maxWait }: OpenOptions): Queue {
  return createQueue({
    maxWaitMs: (maxWait ?? settings.maxWait) * 1000,
    now: () => world.now(),
    sleep: (ms, signal) => world.sleep(ms, signal),
    random: () => world.random(),
    signal: world.signal,
    onPause: ({ ms, remaining, code, forecast }) => {
      const aboutMs = forecast?.aboutMs ?? null;
      world.progress({ kind: 'pause', server: settings.serverName, ms, remaining, code, aboutMs });
    },
    onForecast: (forecast) =>
      world.progress({ kind: 'forecast', server: settings.serverName, ...forecast }),
  });
}

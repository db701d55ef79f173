import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoginRateLimits, RateLimit } from '../../scripts/homeserver/rate-limit.ts';

export interface SynapseSettings {
  readonly folder: string;
  readonly port: number;
  readonly serverName: string;
  readonly registrationSecret: string;
  /** What is left out is as good as off. */
  readonly rcLogin: LoginRateLimits;
  readonly modules: readonly SynapseModule[];
  /** Further keys of homeserver.yaml. */
  readonly extra: object;
}

/** A module of tests/helpers: `file.Class`. */
export interface SynapseModule {
  readonly module: string;
  readonly config: object;
}

const AS_GOOD_AS_OFF: RateLimit = { per_second: 100_000, burst_count: 100_000 };

/** Writes homeserver.yaml (as JSON, which YAML contains), the signing key and the log settings. */
export async function writeSynapseConfig(settings: SynapseSettings): Promise<void> {
  const { folder } = settings;
  const seed = randomBytes(32).toString('base64').replaceAll('=', '');
  await writeFile(join(folder, 'signing.key'), `ed25519 a_test ${seed}\n`);
  await writeFile(join(folder, 'log.yaml'), JSON.stringify(logSettings(folder)));
  await writeFile(join(folder, 'homeserver.yaml'), JSON.stringify(homeserverSettings(settings)));
}

function homeserverSettings(settings: SynapseSettings): object {
  const { folder, port, serverName, registrationSecret, rcLogin, modules, extra } = settings;
  return {
    server_name: serverName,
    report_stats: false,
    pid_file: join(folder, 'homeserver.pid'),
    log_config: join(folder, 'log.yaml'),
    media_store_path: join(folder, 'media'),
    signing_key_path: join(folder, 'signing.key'),
    trusted_key_servers: [],
    registration_shared_secret: registrationSecret,
    macaroon_secret_key: randomBytes(24).toString('hex'),
    form_secret: randomBytes(24).toString('hex'),
    // The lowest that bcrypt allows: the tests are not about its cost.
    bcrypt_rounds: 4,
    presence: { enabled: false },
    database: { name: 'sqlite3', args: { database: join(folder, 'homeserver.db') } },
    listeners: [
      { port, bind_addresses: ['127.0.0.1'], type: 'http', resources: [{ names: ['client'] }] },
    ],
    rc_login: {
      address: AS_GOOD_AS_OFF,
      account: AS_GOOD_AS_OFF,
      failed_attempts: AS_GOOD_AS_OFF,
      ...rcLogin,
    },
    modules,
    ...extra,
  };
}

function logSettings(folder: string): object {
  return {
    version: 1,
    formatters: { plain: { format: '%(levelname)s %(name)s %(message)s' } },
    handlers: {
      file: {
        class: 'logging.FileHandler',
        filename: join(folder, 'homeserver.log'),
        formatter: 'plain',
      },
    },
    root: { level: 'WARNING', handlers: ['file'] },
    disable_existing_loggers: false,
  };
}

// Services whose homeserver has to be discovered: the embedded homeserver, with TLS, is all of
// example.org, and whatever else the test wants it to be.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { testCaFile } from './replay-server.ts';
import { HOST, servicesFor } from './provision-services.ts';
import type { Services, ServicesOptions } from './provision-services.ts';
import { provisionInside } from './provision-world.ts';
import type { Inside, InsideOptions } from './provision-world.ts';

export interface Discovered extends Services {
  /** `METHOD host/path` of every request. */
  readonly seen: readonly string[];
  run(options?: InsideOptions): Promise<Inside>;
}

export interface DiscoveredOptions extends ServicesOptions {
  /** `host:port` of what the homeserver stands for; default: example.org:443 and its matrix. */
  readonly addresses?: readonly string[];
  /** A file of tests/fixtures/tls; default: the one that is trusted. */
  readonly certificate?: string;
}

const ADDRESSES = ['example.org:443', 'matrix.example.org:443', 'example.net:443'];

/** Starts the homeserver and makes the project; its vars name no URL. */
export async function discoveredServices(
  t: TestContext,
  { addresses = ADDRESSES, certificate = 'trusted', ...options }: DiscoveredOptions = {},
): Promise<Discovered> {
  const seen: string[] = [];
  const pem = readFileSync(join(testCaFile(), `../${certificate}.pem`), 'utf8');
  const services = await servicesFor(t, {
    serverName: 'example.org',
    names: ['news'],
    ...options,
    tls: { key: pem, cert: pem },
    onRequest: (request) => {
      seen.push(`${request.method} ${request.headers.host}${request.path}`);
      options.onRequest?.(request);
    },
  });
  const { project, homeserver } = services;
  const vars = `host_vars/${HOST}/vars.yml`;
  const text = await project.read(vars);
  const named = text
    .replace(`matrix_tokens_server_name: ${homeserver.serverName}`, () => {
      return `matrix_tokens_server_name: ${JSON.stringify(homeserver.serverName)}`;
    })
    .replace(/matrix_tokens_homeserver_url: .*\n/, `matrix_tokens_ca_file: ${testCaFile()}\n`);
  await project.write(vars, named);
  const target = { host: '127.0.0.1', port: homeserver.port };
  const connectTo = new Map(addresses.map((address) => [address, target]));
  return {
    ...services,
    seen,
    run: (inside = {}) => provisionInside(services, { connectTo, ...inside }),
  };
}

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { classifyFailure } from '../src/matrix/answers.ts';
import { InputError } from '../src/errors.ts';
import { loadCertificates, trustedCertificates } from '../src/matrix/certificates.ts';
import type { HttpResult } from '../src/matrix/http-result.ts';
import {
  clientFor,
  json,
  startReplayServer,
  testCa,
  testCaFile,
  type Certificate,
  type ReplayServer,
} from './helpers/replay-server.ts';

async function tlsServer(t: TestContext, certificate: Certificate): Promise<ReplayServer> {
  return startReplayServer(t, () => json(200, { a: 1 }), { certificate });
}

function connectTo(port: number): Map<string, { host: string; port: number }> {
  return new Map([['example.org:443', { host: '127.0.0.1', port }]]);
}

function reasonOf(result: HttpResult): unknown[] {
  return result.kind === 'answer' ? [result.status] : [result.reason, result.maybeExecuted];
}

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'matrix-tokens-tls-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

test('a certificate that is self-signed, expired or for another name ends it unsent', async (t) => {
  for (const certificate of ['self-signed', 'expired', 'wrong-name'] as const) {
    const server = await tlsServer(t, certificate);
    const client = clientFor(t, { ca: testCa(), connectTo: connectTo(server.port) });
    const result = await client.request('POST', 'https://example.org/', { body: {} });
    assert.deepEqual(reasonOf(result), ['tls', false], certificate);
    assert.equal(server.requests.length, 0);
  }
});

test('a private CA is trusted only where it is named', async (t) => {
  const server = await tlsServer(t, 'trusted');
  const result = await clientFor(t).request('POST', server.url, { body: {} });
  assert.deepEqual(reasonOf(result), ['tls', false]);
  const trusting = await clientFor(t, { ca: testCa() }).request('POST', server.url, { body: {} });
  assert.deepEqual(reasonOf(trusting), [200]);
});

test('a connection made elsewhere still wants the certificate of the name', async (t) => {
  const server = await tlsServer(t, 'trusted');
  const client = clientFor(t, { ca: testCa(), connectTo: connectTo(server.port) });
  const result = await client.request('GET', 'https://example.org/');
  assert.deepEqual(reasonOf(result), [200]);
  assert.equal(server.requests[0]?.headers['host'], 'example.org');
});

test('a server that speaks no TLS at an https URL ends it unsent', async (t) => {
  const server = await startReplayServer(t, () => json(200, {}));
  const url = server.url.replace('http:', 'https:');
  const result = await clientFor(t).request('POST', url, { body: { password: 'canary' } });
  assert.deepEqual(reasonOf(result), ['tls', false]);
  // No CA of one's own would help.
  assert.match(classifyFailure(result).hint ?? '', /^check the port.*http:/);
});

test('a client keeps checking certificates whatever the environment says', async (t) => {
  const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  t.after(() => {
    if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
  });
  const server = await tlsServer(t, 'self-signed');
  const result = await clientFor(t).request('POST', server.url, { body: {} });
  assert.deepEqual(reasonOf(result), ['tls', false]);
});

test('a CA of ours comes on top of those of Node and of NODE_EXTRA_CA_CERTS', async (t) => {
  const extra = join(await folderFor(t), 'extra.pem');
  const pem = await readFile(testCaFile(), 'utf8');
  await writeFile(extra, `a comment\n${pem}`);
  const trusted = await trustedCertificates('OURS', { NODE_EXTRA_CA_CERTS: extra });
  const plain = await trustedCertificates('OURS', {});
  assert.equal(trusted.at(-1), 'OURS');
  assert.ok(plain.length > 50);
  // Newer versions of Node list them by themselves, if they were set when the process began.
  const isListedByNode = trusted.length === plain.length;
  assert.ok(isListedByNode || trusted.at(-2) === pem.trim());
});

test('a CA file is read, whatever stands around its certificates', async (t) => {
  const file = join(await folderFor(t), 'ca.pem');
  await writeFile(file, `# our CA\n${testCa()}\ntext\n${testCa()}`);
  const count = (await loadCertificates(file)).match(/BEGIN CERTIFICATE/g)?.length;
  assert.equal(count, 2);
});

test('a CA file that cannot be used is bad input that names it', async (t) => {
  const folder = await folderFor(t);
  const broken = testCa().replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAA');
  const files = { missing: null, empty: '', text: 'no certificate', broken };
  const at = { file: 'vars.yml', line: 3, column: 5 };
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    if (text !== null) await writeFile(file, text);
    await assert.rejects(loadCertificates(file, at), (error) => {
      assert.ok(error instanceof InputError);
      assert.equal(error.faults[0]?.code, 'E_FILE');
      assert.ok(error.faults[0]?.found.includes(file));
      assert.deepEqual(error.faults[0]?.at, at);
      return true;
    });
  }
});

/**
 * Everything the OpenAPI document of the daemon says can be asked is asked: as documented, nearly so, and as nobody who means well would; by every kind of
 * caller; of the daemon that ships. What comes back has to be what the document promises, without a failure of ours, and the daemon stays as it was.
 *
 * A failure prints its seed and the request. `WARREN_PROPERTY_SEED=<seed>` repeats it; `WARREN_PROPERTY_RUNS=<n>` asks each operation so many things.
 */
import { readFileSync } from 'node:fs';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { text as textOf } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { GateDaemon } from '../../packages/cli/src/e2e/gate-daemon.ts';
import { PATIENCE_MS } from '../../packages/cli/src/e2e/warren.ts';
import { ROOT } from '../boundaries/read-tree.ts';
import { asksOf, type Sendable, toSendable } from './asks.ts';
import { CALLERS, type CallerKind, ELSEWHERE, makeCallers } from './callers.ts';
import { type Answer, Judge } from './judge-answer.ts';
import { KnownValues } from './known-values.ts';
import { OpenApi, type Operation } from './open-api.ts';

const RUNS = Number(process.env['WARREN_PROPERTY_RUNS'] ?? 20);
const SEED = Number(process.env['WARREN_PROPERTY_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

vi.setConfig({ testTimeout: PATIENCE_MS + RUNS * 1_000, hookTimeout: PATIENCE_MS });

const openApi = new OpenApi(JSON.parse(readFileSync(`${ROOT}/docs/openapi.json`, 'utf8')));
const judge = new Judge(openApi);
const known = new KnownValues();
const connections = new Agent({ keepAlive: true });

/** What a caller is not let do: there would be no daemon or workspace left to ask about, or a file wherever on this machine the path says. */
const NOT_ASKED: Readonly<Record<string, CallerKind>> = {
  'daemon.stop': 'operator',
  'store.backup': 'operator',
  'workspace.delete': 'operator',
};
/** Who gets further than others. */
const OFTEN: readonly CallerKind[] = ['operator', 'operator', 'operator', 'operator', 'operator', 'operator', 'admin', 'admin', 'process'];
/** One word in requests that no answer may repeat. */
const PASSPHRASE = 'never-to-be-repeated-7c1d';
const MEBIBYTES_MAX = 1_024;

let daemon: GateDaemon;
/** What it logs. */
const log: string[] = [];

beforeAll(async () => {
  daemon = await GateDaemon.start(['--listen', 'tcp:127.0.0.1:0']);
  const { client } = daemon;
  createInterface(daemon.daemon.child.stderr).on('line', (line) => log.push(line));
  await client.call('workspace.create', { workspace: ELSEWHERE });
  known.add('passphrase', PASSPHRASE);
  known.learn({ workspace: 'default', capability: 'system.echo', category: 'state', dim: 'tokens', name: 'ann' });
  const { pid } = await client.call('kernel.agent.create', { name: 'known', template: 'known' });
  known.learn({ pid, path: '/known', topic: 'known', kind: 'known' });
  await client.call('kernel.mbox.create', { pid });
  await client.call('kernel.mbox.subscribe', { pid, topic: 'known' });
  await client.call('kernel.cap.create', { pid, tool_grants: ['*'], sub_agent: true });
  await client.call('kernel.ledger.create', { pid, grants: { tokens: 1_000 } });
  await client.call('ledger.workspace.create', { grants: { calls: 1_000_000 } });
  await client.call('file.write', { pid, path: '/known', content: 'YQ==' });
  await client.call('person.create', { name: 'ann', role: 'viewer', passphrase: PASSPHRASE });
  for (const name of ['state.get', 'state.set', 'filesystem.read', 'process.run']) known.add('capability', name);
});

afterAll(async () => {
  connections.destroy();
  await daemon[Symbol.asyncDispose]();
});

async function send({ method, path, headers, body }: Sendable, authorization: string | undefined): Promise<Answer> {
  const { hostname, port } = new URL(daemon.daemon.url);
  const sent = httpRequest({
    ...{ agent: connections, hostname, port, method, path, signal: AbortSignal.timeout(PATIENCE_MS / 2) },
    headers: {
      ...headers,
      ...(authorization !== undefined && { authorization }),
      ...(body !== undefined && { 'content-length': body.length }),
    },
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => sent.on('response', resolve).on('error', reject));
  sent.end(body);
  const response = await answered;
  const { 'content-type': type, allow } = response.headers;
  return { status: response.statusCode ?? 0, type, allow, text: await textOf(response) };
}

function peakMebibytes(): number {
  const status = readFileSync(`/proc/${daemon.daemon.document.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1_024;
}

async function askMany(operation: Operation): Promise<void> {
  const callers = await makeCallers(daemon.client, `agent-of-${operation.id}`);
  known.add('agent', `agent-of-${operation.id}`);
  const kinds = [...CALLERS, ...OFTEN].filter((kind) => NOT_ASKED[operation.id] !== kind);
  const secrets = [...Object.values(callers).flatMap((each) => each?.split(' ')[1] ?? []), PASSPHRASE].filter(
    (secret) => secret.length > 10,
  );
  const property = fc.asyncProperty(fc.constantFrom(...kinds), asksOf(openApi, operation), async (kind, ask) => {
    const sendable = toSendable(operation, ask, known.find);
    const answer = await send(sendable, callers[kind]);
    const wrong = judge.faultsOf(operation, answer, secrets);
    if (wrong.length > 0) throw new Error(`${wrong.join('; ')}: ${kind} ${say(sendable)} -> ${answer.status} ${answer.text.slice(0, 500)}`);
    if (answer.status < 300) known.learn(JSON.parse(answer.text || 'null'));
  });
  await fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: true });
}

function say({ method, path, headers, body }: Sendable): string {
  const { authorization: _, ...rest } = headers;
  const text = body === undefined ? '' : ` ${JSON.stringify(Buffer.from(body).toString('latin1').slice(0, 1_000))}`;
  return `${method} ${path.slice(0, 1_000)} ${JSON.stringify(rest).slice(0, 500)}${text}`;
}

describe(`the daemon answers what it is asked as documented (WARREN_PROPERTY_SEED=${SEED})`, () => {
  it('has the document that is looked at', async () => {
    const answer = await send({ method: 'GET', path: '/api/openapi.json', headers: {}, body: undefined }, undefined);
    expect(JSON.parse(answer.text)).toEqual(openApi.document);
  });

  it.each(openApi.operations.map((operation) => [operation.id, operation] as const))('%s', async (_id, operation) => {
    await askMany(operation);
  });

  it('every path refuses every method that is not documented, as a problem that names the others', async () => {
    const { operator } = await makeCallers(daemon.client, 'agent-of-methods');
    for (const path of new Set(openApi.operations.map((operation) => operation.path))) {
      const documented = [...openApi.methodsAt(path)];
      const free = [...documented, 'OPTIONS', ...(documented.includes('GET') ? ['HEAD'] : [])];
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'QUERY']) {
        if (free.includes(method)) continue;
        const answer = await send({ method, path: path.replaceAll(/[{}]/g, ''), headers: {}, body: undefined }, operator);
        expect([method, path, answer.status, answer.type, answer.allow?.split(', ').toSorted()]).toEqual([
          ...[method, path, 405, 'application/problem+json'],
          free.toSorted(),
        ]);
      }
    }
  });

  it('is the same daemon afterwards, has failed at nothing and grown no more than it may', async () => {
    const status = await daemon.client.call('daemon.status', {});
    expect(status.system_pid).toBe(daemon.daemon.document.pid);
    expect(log.filter((line) => line.includes('"level":"error"'))).toEqual([]);
    expect(peakMebibytes()).toBeLessThan(MEBIBYTES_MAX);
  });
});

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { openAudit, openAuditIndex, readHeads, verifyAudit } from '@warren/kernel';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { openAnchors } from './open-anchors.ts';

const run = promisify(execFile);
const git = async (args: readonly string[], directory: string, signal?: AbortSignal): Promise<void> => {
  await run('git', [...args], { cwd: directory, ...(signal === undefined ? {} : { signal }) });
};
const ENTRY = { kind: 'system', workspace: 'default', actor: { kind: 'system' }, action: 'test', outcome: 'success' } as const;

it('heads of the audit reach a file, a signed webhook and a real git repository, and show that the audit was rolled back', async () => {
  await using directory = await TemporaryDirectory.create();
  const posted: { readonly signature: unknown; readonly body: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      posted.push({ signature: request.headers['warren-signature'], body: Buffer.concat(chunks).toString() });
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/anchor`; // It listens on TCP.
  try {
    await writeFile(directory.join('secret'), 'key');
    for (const name of ['remote', 'clone']) await mkdir(directory.join(name));
    await git(['init', '-q', '--bare', '-b', 'main'], directory.join('remote'));
    await git(['clone', '-q', directory.join('remote'), '.'], directory.join('clone'));
    for (const [key, value] of [
      ['user.name', 'warren'],
      ['user.email', 'warren@localhost'],
    ] as const)
      await git(['config', key, value], directory.join('clone'));
    await git(['checkout', '-q', '-B', 'main'], directory.join('clone'));
    const now = () => Date.now();
    const audit = await openAudit({
      directory: directory.join('audit'),
      keyFile: directory.join('key'),
      clock: { now },
      openIndex: openAuditIndex,
    });
    await audit.append(ENTRY);
    const config = {
      ...{ retention: 1, anchor_every: 3_600_000 },
      anchors: [
        { kind: 'file', path: directory.join('heads') },
        { kind: 'webhook', url, secret_file: directory.join('secret') },
        { kind: 'git', directory: directory.join('clone') },
      ] as const,
    };
    await using anchors = openAnchors({ audit, config: { ...config, anchors: [...config.anchors] }, now, runGit: git });
    const status = await anchors.anchor({ isForced: true });
    expect(status.map(({ kind, lastError, behind }) => [kind, lastError, behind])).toEqual([
      ['file', undefined, 0],
      ['webhook', undefined, 0],
      ['git', undefined, 0],
    ]);
    const { publicKey } = audit;
    await audit.close();
    expect(posted[0]).toMatchObject({ signature: expect.stringMatching(/^t=\d+,v1=[0-9a-f]{64}$/) });
    const { stdout } = await run('git', ['log', '--format=%H', 'main'], { cwd: directory.join('remote') });
    expect(stdout.trim()).not.toBe('');
    const committed = await run('git', ['show', 'main:heads.jsonl'], { cwd: directory.join('remote') });
    for (const text of [await readFile(directory.join('heads'), 'utf8'), posted[0]?.body ?? '', committed.stdout]) {
      const [head, ...more] = readHeads(text, 'anchor');
      if (head === undefined || more.length > 0) throw new Error('Not one head was kept');
      expect((await verifyAudit({ directory: directory.join('audit'), publicKey, anchors: [head] })).problems).toEqual([]);
      const forged = { ...head, size: head.size + 1 };
      expect((await verifyAudit({ directory: directory.join('audit'), publicKey, anchors: [forged] })).problems).not.toEqual([]);
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

it('an anchor that fails is told once for each reason, and once when it does no more', async () => {
  await using directory = await TemporaryDirectory.create();
  const now = () => Date.now();
  const audit = await openAudit({
    directory: directory.join('audit'),
    keyFile: directory.join('key'),
    clock: { now },
    openIndex: openAuditIndex,
  });
  try {
    await audit.append(ENTRY);
    const said: string[] = [];
    const path = directory.join('folder/heads');
    const config = { retention: 1, anchor_every: 3_600_000, anchors: [{ kind: 'file', path } as const] };
    await using anchors = openAnchors({ audit, config, now, runGit: undefined, say: (message) => said.push(message) });
    for (let attempt = 0; attempt < 2; attempt++) await anchors.anchor({ isForced: true });
    expect(said).toEqual([expect.stringMatching(/^The audit cannot be anchored, 1 entries have no anchor: file .*\/heads: ENOENT/)]);
    await mkdir(directory.join('folder'));
    for (let attempt = 0; attempt < 2; attempt++) await anchors.anchor({ isForced: true });
    expect(said.slice(1)).toEqual([`The audit is anchored again: file ${path}`]);
  } finally {
    await audit.close();
  }
});

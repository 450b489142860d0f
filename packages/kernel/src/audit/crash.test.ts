import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { createRandom } from '../chaos/random.ts';
import { openAuditIndex } from '../store/sqlite/audit-index.ts';
import { openAudit } from './open-audit.ts';
import { verifyAudit } from './verify-audit.ts';

const PROGRAM = join(import.meta.dirname, 'test-support/append-forever.ts');
const KILLS = 12;

it(`after being killed ${KILLS} times while appending, everything that was acknowledged is there and the log verifies (seed 1)`, async () => {
  await using base = await TemporaryDirectory.create();
  const [directory, keyFile] = [base.join('audit'), base.join('key')];
  const acknowledged = new Map<number, string>();
  const random = createRandom(1);
  for (let turn = 0; turn < KILLS; turn += 1) {
    const until = acknowledged.size + 1 + random.below(400);
    const child = spawn(process.execPath, ['--conditions=warren-source', PROGRAM, directory, keyFile], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    for await (const line of createInterface({ input: child.stdout })) {
      const [seq, hash = ''] = line.split(' ');
      if (hash.length === 64) acknowledged.set(Number(seq), hash); // The last line may be torn.
      if (acknowledged.size >= until) child.kill('SIGKILL');
    }
    await ended;
    await using audit = await openAudit({ directory, keyFile, clock: { now: () => Date.now() }, openIndex: openAuditIndex });
    expect(audit.head().size).toBeGreaterThanOrEqual(acknowledged.size);
    expect((await verifyAudit({ directory, publicKey: audit.publicKey, anchors: [audit.head()] })).problems).toEqual([]);
  }
  await using audit = await openAudit({ directory, keyFile, clock: { now: () => Date.now() }, openIndex: openAuditIndex });
  for (const [seq, hash] of acknowledged) expect([seq, (await audit.get(seq)).hash]).toEqual([seq, hash]);
}, 300_000);

/**
 * SIGKILL at whatever instruction: what may happen once never happens twice, nothing happens that was not approved, and every answer that was given and every
 * decision that was made is in the audit. `GATE_KILLS=200` for the long form.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPolicy, openAudit, openAuditIndex, openKernel, verifyAudit } from '@warren/kernel';
import { createClock } from '@warren/kernel/testing';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { randomFrom } from './random.ts';

const KILLS = Number(process.env['GATE_KILLS'] ?? 4);
const SEED = Number(process.env['GATE_SEED'] ?? 1);

it(`a gate that is killed ${KILLS} times does nothing twice and forgets no answer`, { timeout: 30_000 + KILLS * 5_000 }, async () => {
  await using directory = await TemporaryDirectory.create();
  const random = randomFrom(SEED);
  for (let life = 0; life < KILLS; life++) await liveAndDie(directory.path, life, random(400));
  const lines = (name: string): readonly string[] => readFileSync(join(directory.path, name), 'utf8').split('\n').filter(Boolean);
  const counts = new Map<string, number>();
  for (const effect of lines('effects')) counts.set(effect, (counts.get(effect) ?? 0) + 1);
  const doubled = [...counts].filter(([effect, count]) => count > 1 && !/^file\.(?:same|edit) /.test(effect));
  expect(doubled, `seed ${SEED}`).toEqual([]);
  const unapproved = [...counts.keys()].filter((effect) => /^file\.(?:edit\.unapproved|deny) /.test(effect));
  expect(unapproved, `seed ${SEED}`).toEqual([]);

  const { decided, recorded } = await readDecisions(directory.path);
  expect(recorded, `seed ${SEED}`).toEqual(decided);
  expect(decided.length).toBeGreaterThan(KILLS);

  const audited = await readAudit(directory.path);
  const answers = lines('answers').map((line) => line.split(' '));
  expect(answers.length).toBeGreaterThan(KILLS);
  for (const [id = '', callId = '', outcome] of answers) {
    // Of a call that died between the two flushes the audit may know more than the journal.
    const expected = outcome === 'done' ? ['success'] : outcome === 'ApprovalRejected' ? [undefined] : ['unknown', 'success'];
    expect(expected, `${id} ${outcome}, seed ${SEED}`).toContain(audited.get(callId));
    if (outcome === 'done') expect([...counts.keys()].some((effect) => effect.endsWith(` ${id}`))).toBe(true);
  }
});

/** What the store says was decided, and what the audit says after a start: a line for each vote and for each state that was reached. */
async function readDecisions(directory: string): Promise<{ readonly decided: readonly string[]; readonly recorded: readonly string[] }> {
  await using kernel = await openKernel({ directory: join(directory, 'state') });
  const files = { directory: join(directory, 'audit'), keyFile: join(directory, 'key') };
  await using audit = await openAudit({ ...files, clock: createClock(), openIndex: openAuditIndex });
  const capabilities = { revision: 1, find: () => undefined, list: () => [] };
  await using gate = await kernel.openGate({ capabilities, policyOf: () => createPolicy([], { version: 'none' }), audit });
  expect(gate.active).toBe(0);
  const decided: string[] = [];
  const { approvals } = kernel.workspace(DEFAULT_WORKSPACE);
  for (let before: string | undefined; ; ) {
    const page = await approvals.list({}, { limit: 1_000, before });
    for (const { id, state, votes } of page.approvals) {
      if (state !== 'pending') decided.push(`${id} ${state}`);
      for (const { approver } of votes) decided.push(`${id} ${approver}`);
    }
    before = page.approvals.at(-1)?.id;
    if (before === undefined) break;
  }
  const recorded: string[] = [];
  for (let cursor: number | undefined; ; ) {
    const { entries, next } = await audit.search({ kind: 'answer', limit: 1_000, cursor });
    for (const { approvalId, actor, details } of entries) {
      const state = String(details?.['state']);
      if (state !== 'pending') recorded.push(`${approvalId} ${state}`);
      if (state !== 'rejected') recorded.push(`${approvalId} ${'name' in actor ? actor.name : details?.['by']}`);
    }
    if (next === undefined) break;
    cursor = next;
  }
  return { decided: decided.toSorted(), recorded: recorded.toSorted() };
}

/** Outcomes of calls, by id. A call that may be repeated has an entry for each time its outcome was known. */
async function readAudit(directory: string): Promise<ReadonlyMap<string, string>> {
  const files = { directory: join(directory, 'audit'), keyFile: join(directory, 'key') };
  const outcomes = new Map<string, string>();
  {
    await using audit = await openAudit({ ...files, clock: createClock(), openIndex: openAuditIndex });
    let cursor: number | undefined;
    do {
      const { entries, next } = await audit.search({ kind: 'syscall', limit: 1_000, cursor });
      for (const { callId = '', action, outcome } of entries) {
        if (outcome === 'denied') continue; // An attempt while its process was suspended.
        expect(outcomes.has(callId) && action !== 'file.same' && action !== 'file.edit', `${callId} has two entries`).toBe(false);
        outcomes.set(callId, outcome);
      }
      cursor = next;
    } while (cursor !== undefined);
  }
  const publicKey = readFileSync(join(files.directory, 'public-key.pem'), 'utf8');
  expect((await verifyAudit({ directory: files.directory, publicKey })).problems).toEqual([]);
  return outcomes;
}

async function liveAndDie(directory: string, life: number, afterMs: number): Promise<void> {
  const child = spawn(
    process.execPath,
    ['--conditions=warren-source', join(import.meta.dirname, 'gate-host.ts'), directory, String(life)],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let said = '';
  child.stderr.on('data', (data: Buffer) => {
    said += data.toString();
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await Promise.race([new Promise((resolve) => child.stdout.once('data', resolve)), exited]);
  expect(child.exitCode, said).toBeNull();
  await sleep(afterMs); // When it dies is what is random here.
  child.kill('SIGKILL');
  await exited;
  expect(said).toBe('');
}

import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AuditReport, verifyAudit } from '@warren/kernel';
import { TemporaryDirectory } from '@warren/testkit';
import { expect } from 'vitest';
import { Agents } from './agents.ts';
import { provesGate } from './proves-gate.ts';

/** What verifying a copy of the audit finds after its only file was changed by somebody who knows where each entry begins. */
async function reportAfter(agents: Agents, change: (file: Buffer, begins: (seq: number) => number) => Buffer): Promise<AuditReport> {
  await using copy = await TemporaryDirectory.create();
  const directory = copy.join('audit');
  cpSync(agents.directory.join('audit'), directory, { recursive: true });
  const path = join(directory, readdirSync(directory).find((name) => name.endsWith('.log')) ?? '');
  const places = readFileSync(join(directory, 'places'));
  writeFileSync(
    path,
    change(readFileSync(path), (seq) => places.readUInt32LE(seq * 4)),
  );
  return await verifyAudit({ directory, publicKey: agents.platform.audit.publicKey });
}

const findings = ({ problems }: AuditReport): readonly string[] => problems.map(({ kind, seq }) => `${kind} ${seq}`);

provesGate('audit:tampering', async () => {
  await using agents = await Agents.open();
  const agent = await agents.agent();
  for (let call = 0; call < 5; call++) await agent.call('system.echo', { text: `marker-${call}` });
  const { entries } = await agents.platform.audit.search({ kind: 'syscall' });
  const seq = entries[3]?.seq ?? 0;
  await agents.restart(); // Everything that is written late is written then.
  expect(findings(await reportAfter(agents, (file) => file))).toEqual([]);
  const changed = await reportAfter(agents, (file) => {
    const at = file.indexOf('marker-3');
    file[at] = (file[at] ?? 0) ^ 1;
    return file;
  });
  expect(findings(changed)).toContain(`modified ${seq}`);
  const missing = await reportAfter(agents, (file, begins) =>
    Buffer.concat([file.subarray(0, begins(seq)), file.subarray(begins(seq + 1))]),
  );
  expect(findings(missing)).toContain(`missing ${seq}`);
});

provesGate('audit:full-disk', async ({ skip }) => {
  skip(process.getuid?.() !== 0, 'only root may mount a small file system');
  await using directory = await TemporaryDirectory.create();
  using disk = mountSmallDisk(directory.path);
  await using agents = await Agents.open(undefined, (state) => symlinkSync(disk.path, join(state, 'audit')));
  const agent = await agents.agent();
  const filler = join(disk.path, 'filler');
  expect(spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096'], { encoding: 'utf8' }).stderr).toContain('No space left');
  const answered: string[] = [];
  let refused: unknown;
  // The page that was begun has room for some.
  for (let call = 0; call < 200 && refused === undefined; call++) {
    const asked = agent.ask('state.persistent.set', { key: `key${call}`, value: 'x'.repeat(500) });
    await asked.then(
      ({ callId }) => answered.push(callId),
      (error: unknown) => {
        refused = error;
      },
    );
  }
  expect(refused).toMatchObject({ code: 'storage_full' });
  rmSync(filler);
  await agent.call('system.echo', { text: 'there is room again' });
  const { audit } = agents.platform;
  for (const callId of answered) expect((await audit.search({ callId, outcome: 'success' })).entries).toHaveLength(1);
  expect(await verifyAudit({ directory: disk.path, publicKey: audit.publicKey })).toMatchObject({ problems: [] });
});

function mountSmallDisk(path: string): Disposable & { readonly path: string } {
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'warren-test', path], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`there is no small disk: ${stderr}`);
  return { path, [Symbol.dispose]: () => void spawnSync('umount', ['-l', path]) };
}

/** An audit on real files in a directory that goes away with it. Tests own its time. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAuditIndex } from '../../store/sqlite/audit-index.ts';
import { createTestClock, type TestClock } from '../../test-support/open-test-kernel.ts';
import type { Audit, AuditEntry } from '../audit.ts';
import { type AuditOptions, openAudit } from '../open-audit.ts';

/** 2027-01-15, 08:00 UTC. */
export const START = 1_800_000_000_000;
export const DAY_MS = 86_400_000;

export type TestAudit = AsyncDisposable & {
  readonly audit: Audit;
  readonly clock: TestClock;
  readonly directory: string;
  readonly publicKey: string;
  reopen(options?: Partial<AuditOptions>): Promise<void>;
};

export async function openTestAudit(options: Partial<AuditOptions> = {}): Promise<TestAudit> {
  const base = mkdtempSync(join(tmpdir(), 'warren-audit-'));
  const directory = options.directory ?? join(base, 'audit');
  const clock = createTestClock(START);
  const open = (more: Partial<AuditOptions> = {}) =>
    openAudit({ directory, keyFile: join(base, 'audit.key'), clock, openIndex: openAuditIndex, ...options, ...more });
  let audit = await open();
  return {
    get audit() {
      return audit;
    },
    clock,
    directory,
    publicKey: audit.publicKey,
    async reopen(more) {
      await audit.close();
      audit = await open(more);
    },
    async [Symbol.asyncDispose]() {
      await audit.close().catch(() => {}); // What a test did to the directory is its matter.
      await rm(base, { recursive: true, force: true });
    },
  };
}

export function testEntry(number = 0, more: Partial<AuditEntry> = {}): AuditEntry {
  return {
    kind: 'syscall',
    workspace: 'default',
    actor: { kind: 'process', pid: 1 + (number % 7), agent: `agent-${number % 3}` },
    action: number % 2 === 0 ? 'filesystem.read' : 'process.run',
    outcome: number % 5 === 0 ? 'denied' : 'success',
    callId: `call-${number}`,
    input: { path: `/workspace/file-${number}.txt` },
    ...more,
  };
}

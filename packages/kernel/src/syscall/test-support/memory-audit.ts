/** An audit in memory that can fail and be slow, for what the real one cannot be made to do on cue. */
import { Fault } from '@warren/protocol';
import type { Audit, AuditEntry, Receipt, RecordedEntry } from '../../audit/audit.ts';

export class MemoryAudit implements Pick<Audit, 'append' | 'check' | 'search'> {
  readonly entries: RecordedEntry[] = [];
  /** Whether its files are gone, which can be seen. */
  isGone = false;
  /** Whether appending fails now. */
  isBroken = false;
  /** Awaited before an entry is written. */
  gate: Promise<void> = Promise.resolve();

  check(): void {
    if (this.isGone) throw new Fault('store_failed', 'Cannot record in the audit: its file or directory was removed; nothing was done');
  }

  async append(entry: AuditEntry): Promise<Receipt> {
    await this.gate;
    this.check();
    if (this.isBroken) throw new Fault('storage_full', 'Cannot append to the audit: the disk is full');
    const receipt = { seq: this.entries.length, at: 0, hash: '' };
    this.entries.push({ ...JSON.parse(JSON.stringify(entry)), ...receipt });
    return receipt;
  }

  async search(query: Parameters<Audit['search']>[0]): ReturnType<Audit['search']> {
    const entries = this.entries.filter(
      (entry) =>
        (query.workspace === undefined || entry.workspace === query.workspace) &&
        (query.callId === undefined || entry.callId === query.callId) &&
        (query.approvalId === undefined || entry.approvalId === query.approvalId) &&
        (query.kind === undefined || entry.kind === query.kind) &&
        (query.action === undefined || entry.action === query.action) &&
        (query.outcome === undefined || entry.outcome === query.outcome),
    );
    return { entries: entries.slice(0, query.limit ?? 100), next: undefined };
  }

  of(callId: string): readonly RecordedEntry[] {
    return this.entries.filter((entry) => entry.callId === callId);
  }
}

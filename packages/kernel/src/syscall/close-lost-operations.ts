import { isFault } from '@warren/protocol';
import type { Audit, RecordedEntry } from '../audit/audit.ts';

const PAGE = 1_000;
const LOST = { type: 'OutcomeUnknown', message: 'Warren stopped in the middle of it; look whether it was done' } as const;

/**
 * At a start: operations that a crash cut off get the entry that they end with, which says that nobody knows their outcome. Each beginning names the oldest that was open
 * then, so only the log from the newest one's on is read. Returns how many.
 */
export async function closeLostOperations(audit: Pick<Audit, 'search' | 'append'>): Promise<number> {
  const newest = await audit.search({ kind: 'operator', outcome: 'begun', newest: true, limit: 1 });
  const from = newest.entries[0]?.details?.['from'];
  if (typeof from !== 'number') return 0;
  const open = new Map<string, RecordedEntry>();
  for (let cursor = from - 1; ; ) {
    const { entries, next } = await audit.search({ kind: 'operator', cursor, limit: PAGE });
    for (const entry of entries) {
      if (entry.callId === undefined) continue;
      if (entry.outcome === 'begun') open.set(entry.callId, entry);
      else open.delete(entry.callId);
    }
    if (next === undefined) break;
    cursor = next;
  }
  for (const { kind, workspace, actor, action, input, callId, details } of open.values()) {
    const end = { kind, workspace, actor, action, callId, outcome: 'unknown', error: LOST } as const;
    const { from: _from, ...own } = details ?? {};
    await audit.append({ ...end, input, ...(Object.keys(own).length > 0 && { details: own }) }).catch(async (error: unknown) => {
      if (!isFault(error, 'too_large')) throw error;
      await audit.append(end); // What it was about stands where it began.
    });
  }
  return open.size;
}

/**
 * The audit of a state directory, as the daemon opens it: it has to be the one that the store remembers. What was done while no daemon ran comes first, then what a crash cut off.
 */
import { join } from 'node:path';
import {
  type Audit,
  closeLostOperations,
  type Kernel,
  openAudit,
  openAuditIndex,
  recallAudit,
  rememberAudit,
  whyNotRemembered,
} from '@warren/kernel';
import { DEFAULT_WORKSPACE, Fault } from '@warren/protocol';
import type { ContentKeys } from './content-keys.ts';
import { forgetOfflineActions, type OfflineAction, readOfflineActions } from './offline-actions.ts';
import { sealAudit } from './sealed-audit.ts';

export type RecordedAuditParts = {
  readonly store: Pick<Kernel['store'], 'workspace'>;
  /** The state directory. */
  readonly directory: string;
  readonly now: () => number;
  /** What calls are about is sealed with these. */
  readonly keys: Pick<ContentKeys, 'need' | 'find'>;
  readonly say: (message: string) => void;
};

/** After these another audit may follow, which says so in its first entry. */
const RESTARTS: ReadonlySet<string> = new Set(['audit.restart', 'store.restore']);

/** Faults: `store_failed` (it is missing, damaged, or not the one that is remembered), `storage_full`. Whoever opens it closes it. */
export async function openRecordedAudit({ store, directory, now, keys, say }: RecordedAuditParts): Promise<Audit> {
  const own = store.workspace(DEFAULT_WORKSPACE);
  const remembered = await recallAudit(own);
  const actions = readOfflineActions(directory);
  const isRestartMeant = actions.some(({ action }) => RESTARTS.has(action));
  const opened = await openAudit({
    ...{ directory: join(directory, 'audit'), keyFile: join(directory, 'audit.key') },
    ...{ clock: { now }, openIndex: openAuditIndex },
    isExpected: remembered !== undefined && !isRestartMeant,
  });
  const audit = sealAudit(opened, keys);
  try {
    const why = remembered === undefined || isRestartMeant ? undefined : await whyNotRemembered(audit, remembered);
    if (why !== undefined) throw replaced(join(directory, 'audit'), why);
    for (const action of actions) await audit.append(entryOf(action));
    const lost = await closeLostOperations(audit);
    if (lost > 0) say(`${lost} operations were cut off when Warren stopped: see \`warren audit search --kind operator --outcome unknown\``);
    await rememberAudit(own, audit.head());
    forgetOfflineActions(directory);
    return audit;
  } catch (error) {
    await audit.close();
    throw error;
  }
}

function entryOf({ action, at, by, details }: OfflineAction) {
  const done = { at: new Date(at).toISOString(), ...details };
  const actor = { kind: 'operator', name: by } as const;
  return { kind: 'operator', workspace: DEFAULT_WORKSPACE, actor, action, outcome: 'success', details: done } as const;
}

function replaced(path: string, why: string): Fault {
  return new Fault('store_failed', `Cannot open the audit: ${path} is not the one that this state directory had: ${why}`, {
    details: { audit: 'replaced', path },
  });
}

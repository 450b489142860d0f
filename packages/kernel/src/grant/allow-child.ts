import { Fault } from '@warren/protocol';
import type { ReadTransaction } from '../store/store.ts';

/** Throws `grant_exceeds_parent` if a process may not have children. One that was never given grants may: whoever made it decides. */
export function allowChild(transaction: ReadTransaction, parentPid: number): void {
  if (transaction.grants.find(parentPid)?.subAgents === false) {
    throw new Fault('grant_exceeds_parent', `Cannot create a child of process ${parentPid}: its grants allow no sub agents`, {
      details: { field: 'sub_agent' },
    });
  }
}

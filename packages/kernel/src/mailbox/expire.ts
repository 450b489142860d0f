/** Deleting what is past its time, in small steps. */
import type { Transaction } from '../store/store.ts';
import type { BoxRow } from '../store/tables/mail-table.ts';
import { idsPayload } from './ids-payload.ts';
import { SWEEP_STEP } from './limits.ts';

/** Boxes looked at in one step, whatever they hold. */
const BOXES = 100;

/** Removes from one box what is past its time, up to `limit` messages. Returns how many. */
export function expireBox(transaction: Transaction, box: BoxRow, at: number, limit: number): number {
  const { ids, dead } = transaction.mail.removeDue(box, at, limit);
  if (ids.length > 0) {
    transaction.events.append({ pid: box.pid, kind: 'kernel.mail.expired', payload: { ...idsPayload(ids), dead_letters: dead } });
  }
  return ids.length;
}

/** One step of a sweep through all boxes. It is done when a step says so. */
export function expireStep(transaction: Transaction, at: number): { readonly removed: number; readonly isDone: boolean } {
  const boxes = transaction.mail.dueBoxes(at, BOXES);
  let removed = 0;
  for (const box of boxes) {
    if (removed >= SWEEP_STEP) return { removed, isDone: false };
    removed += expireBox(transaction, box, at, SWEEP_STEP - removed);
  }
  return { removed, isDone: boxes.length < BOXES && removed < SWEEP_STEP };
}

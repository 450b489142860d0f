import type { Transaction } from '../store/store.ts';
import type { ProcessRow } from '../store/tables/process-table.ts';
import { SESSION_SCOPE } from '../store/tables/state-table.ts';

/** A process that ends has no session any more. Its rows may be many and go later, in steps; until then nobody sees them. */
export function endState({ state, events, now }: Transaction, { pid }: ProcessRow, eventId: number): void {
  const scope = `${SESSION_SCOPE}${pid}`;
  const { keys } = state.size(scope);
  if (!state.endScope(scope, now)) return;
  events.append({ pid, kind: 'kernel.state.cleared', payload: { scope, keys, by: null }, causationId: eventId });
}

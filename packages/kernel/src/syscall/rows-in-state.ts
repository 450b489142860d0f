import type { WorkspaceStore } from '../store/store.ts';
import type { CallRow, UnfinishedCallState } from '../store/tables/call-table.ts';

const STEP = 200;

/** All of them at once, because they go while they are looked at; there are no more than were under way or may be asked about. */
export async function rowsInState(store: WorkspaceStore, state: UnfinishedCallState): Promise<readonly CallRow[]> {
  const rows: CallRow[] = [];
  for (;;) {
    const step = await store.read(({ calls }) => calls.inState(state, STEP, rows.at(-1)?.id));
    rows.push(...step);
    if (step.length < STEP) return rows;
  }
}

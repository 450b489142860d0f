import type { ReadTransaction } from '../store/store.ts';
import { isEnded } from './answer.ts';
import type { UnfinishedCall } from './gate.ts';

export const UNFINISHED_MAX = 1_000;

/** Under way or waiting for approval, oldest first. */
export function listUnfinished({ calls }: ReadTransaction, pid: number | undefined, limit: number): readonly UnfinishedCall[] {
  const rows =
    pid === undefined
      ? [...calls.inState('asked', limit), ...calls.inState('open', limit)]
      : calls.ofProcess(pid, ['asked', 'open'], limit);
  return rows
    .filter((row) => !isEnded(row))
    .toSorted((one, other) => one.createdAt - other.createdAt)
    .slice(0, limit)
    .map(({ id, pid: of, capability, approvalId, createdAt, attempts, state }) => ({
      ...{ id, pid: of, capability, approvalId, createdAt, attempts },
      state: state === 'asked' ? 'asked' : 'open',
    }));
}

/** Which moves between states are legal. */
import type { ProcessState } from '../store/tables/process-table.ts';

/** A process runs again without a new pid by going through WAITING or SUSPENDED. */
export const MOVES: Readonly<Record<ProcessState, readonly ProcessState[]>> = {
  READY: ['RUNNING', 'DEAD'],
  RUNNING: ['WAITING', 'SUSPENDED', 'DEAD'],
  WAITING: ['RUNNING', 'SUSPENDED', 'DEAD'],
  SUSPENDED: ['READY', 'DEAD'],
  DEAD: [],
};

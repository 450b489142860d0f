/** What a signal does to a process, in whoever's transaction. */
import { Fault } from '@warren/protocol';
import type { Transaction } from '../store/store.ts';
import type { ProcessRow, ProcessSignal, ProcessState } from '../store/tables/process-table.ts';
import type { ProcessChanges } from './process-changes.ts';

/** An illegal move is a fault, except where the signal asks for what is already so. */
export function answerSignal(transaction: Transaction, changes: ProcessChanges, process: ProcessRow, signal: ProcessSignal): void {
  if (process.state === 'DEAD') throw unexpected(process, signal === 'stop' ? 'SUSPENDED' : signal === 'continue' ? 'READY' : 'DEAD');
  const causationId = transaction.events.append({ pid: process.pid, kind: 'kernel.process.signalled', payload: { signal } });
  const because = { reason: `signal:${signal}`, causationId };
  switch (signal) {
    case 'stop':
      // One that its budget stopped is now stopped by somebody: a larger budget does not let it go on.
      if (process.state === 'SUSPENDED')
        transaction.processes.updateState({ ...process, stateReason: because.reason, updatedAt: transaction.now });
      else changes.move(transaction, process, 'SUSPENDED', because);
      break;
    case 'continue':
      if (process.state === 'SUSPENDED') changes.move(transaction, process, 'READY', because);
      break;
    case 'kill':
      changes.end(transaction, process, { kind: 'cancelled', detail: { signal } }, because);
      break;
    case 'terminate':
    case 'interrupt':
      if (process.state === 'RUNNING') transaction.processes.update({ ...process, pendingSignal: signal, updatedAt: transaction.now });
      else if (signal === 'terminate') changes.end(transaction, process, { kind: 'cancelled', detail: { signal } }, because);
      break;
    default:
      signal satisfies never;
  }
}

export function unexpected(
  process: ProcessRow,
  target: ProcessState,
  message = `Cannot move process ${process.pid} from ${process.state} to ${target}`,
): Fault {
  return new Fault('illegal_transition', message, {
    details: { pid: process.pid, prev_state: process.state, target_state: target },
  });
}

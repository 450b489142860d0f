/**
 * What the kernel's mail has besides its rows, for all workspaces: who waits, and the one timer that wakes them and deletes what is past its
 * time. It learns what happens from committed events alone, whoever wrote them.
 */
import type { WorkspaceId } from '@warren/protocol';
import type { Clock } from '../internal/clock.ts';
import type { Store } from '../store/store.ts';
import { Alarm } from './alarm.ts';
import { createMail } from './create-mail.ts';
import { expireStep } from './expire.ts';
import { SWEEP_DELAY_MS, SWEEP_RETRY_MS } from './limits.ts';
import type { Mail } from './mail.ts';
import { Waiters } from './waiters.ts';

export interface Mailroom extends AsyncDisposable {
  mail(workspace: WorkspaceId): Mail;
  /** Begins to delete what is past its time in this workspace. */
  watch(workspace: WorkspaceId): Promise<void>;
  /** Does what is due now. The timer calls it; a test that moves the clock does too. */
  tick(): Promise<void>;
  /** Ends every wait with `aborted`. */
  close(): Promise<void>;
}

export function openMailroom({ store, clock }: { readonly store: Store; readonly clock: Clock }): Mailroom {
  const alarm = new Alarm(clock);
  const desks = new Map<WorkspaceId, Desk>();
  const deskOf = (id: WorkspaceId): Desk => {
    const known = desks.get(id) ?? new Desk({ store, clock, alarm, id });
    desks.set(id, known);
    return known;
  };
  const listening = store.onCommit((id, events) => desks.get(id)?.hear(events));
  const close = async (): Promise<void> => {
    listening[Symbol.dispose]();
    alarm.close();
    await Promise.all([...desks.values()].map((desk) => desk.close()));
  };
  return {
    mail: (id) => deskOf(id).mail,
    watch: (id) => deskOf(id).lookAhead(),
    async tick() {
      alarm.tick();
      await Promise.all([...desks.values()].map((desk) => desk.swept()));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

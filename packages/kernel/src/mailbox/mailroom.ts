/**
 * What the kernel's mail has besides its rows, for all workspaces: who waits, and the one timer that wakes them and has deleted what is past its
 * time. It learns what happens from committed events alone, whoever wrote them.
 */
import type { WorkspaceId } from '@warren/protocol';
import type { Clock } from '../internal/clock.ts';
import type { Store } from '../store/store.ts';
import { Alarm } from './alarm.ts';
import { createMail } from './create-mail.ts';
import type { Mail } from './mail.ts';
import { Sweeper } from './sweeper.ts';
import { Waiters } from './waiters.ts';

export interface Mailroom extends AsyncDisposable {
  mail(workspace: WorkspaceId): Mail;
  /** Begins to delete what is past its time in this workspace. Using its mail does so too. */
  watch(workspace: WorkspaceId): Promise<void>;
  /** Does what is due now. The timer calls it; a test that moves the clock does too. */
  tick(): Promise<void>;
  /** The workspace is gone: waits there end with `aborted`. */
  forget(workspace: WorkspaceId): Promise<void>;
  /** Ends every wait with `aborted`. Disposing does the same. */
  close(): Promise<void>;
}

type Desk = { readonly mail: Mail; readonly waiters: Waiters; readonly sweeper: Sweeper };

export function openMailroom({ store, clock }: { readonly store: Store; readonly clock: Clock }): Mailroom {
  const now = () => clock.now();
  const alarm = new Alarm(clock);
  const desks = new Map<WorkspaceId, Desk>();
  const deskOf = (id: WorkspaceId): Desk => {
    const known = desks.get(id);
    if (known !== undefined) return known;
    const mine = store.workspace(id);
    const waiters = new Waiters(alarm, now);
    const desk = { waiters, mail: createMail({ store: mine, waiters, now }), sweeper: new Sweeper({ store: mine, alarm, now }) };
    desks.set(id, desk);
    return desk;
  };
  const listening = store.onCommit((id, events) => {
    if (!events.some(({ kind }) => kind.startsWith('kernel.mail.'))) return;
    const { waiters, sweeper } = deskOf(id);
    waiters.hear(events);
    void sweeper.lookAhead();
  });
  const close = async (): Promise<void> => {
    listening[Symbol.dispose]();
    alarm.close();
    for (const { waiters } of desks.values()) waiters.close();
    await Promise.all([...desks.values()].map(({ sweeper }) => sweeper.close()));
  };
  return {
    mail: (id) => deskOf(id).mail,
    watch: (id) => deskOf(id).sweeper.lookAhead(),
    async tick() {
      alarm.tick();
      await Promise.all([...desks.values()].map(({ sweeper }) => sweeper.idle()));
    },
    async forget(id) {
      const desk = desks.get(id);
      desks.delete(id);
      desk?.waiters.close();
      await desk?.sweeper.close();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

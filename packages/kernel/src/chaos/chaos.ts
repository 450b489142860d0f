/** Trouble on purpose, for drills: how does a system of agents behave when one of them dies, or a mailbox is full? A seed repeats it. */
import { isFault } from '@warren/protocol';
import type { WorkspaceKernel } from '../kernel.ts';
import { PROCESS_STATES } from '../store/tables/process-table.ts';
import { createRandom } from './random.ts';

export interface Chaos {
  /** Ends one of the live processes as if it had crashed. Undefined when there is none. */
  killRandomProcess(mine: WorkspaceKernel): Promise<number | undefined>;
  /** Sends until the box refuses; returns how many it took. */
  fillMailbox(mine: WorkspaceKernel, pid: number): Promise<number>;
}

export function createChaos(seed: number): Chaos {
  const random = createRandom(seed);
  return {
    async killRandomProcess(mine) {
      const live = PROCESS_STATES.filter((state) => state !== 'DEAD');
      const found = await Promise.all(live.map(async (state) => (await mine.processes.list({ state }, { limit: 10_000 })).processes));
      const victim = random.find(found.flat().toSorted((one, other) => one.pid - other.pid));
      if (victim === undefined) return undefined;
      await mine.processes.end(victim.pid, 'crashed', { chaos: 'killed' });
      return victim.pid;
    },

    async fillMailbox(mine, pid) {
      for (let sent = 0; ; sent++) {
        try {
          await mine.mail.send(undefined, pid, { kind: 'chaos.fill', payload: { sent } });
        } catch (error) {
          if (isFault(error, 'mailbox_full')) return sent;
          throw error;
        }
      }
    },
  };
}

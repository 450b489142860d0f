import { PROCESS_STATES, type ProcessState } from '@warren/kernel';
import type { Random } from '@warren/kernel/testing';
import type { Part } from '../part.ts';

/** Pids are guessed: most exist, some do not, some are DEAD. */
export function somePid(random: Random): number {
  return 1 + random.below(12);
}

const LEGAL: Readonly<Record<ProcessState, readonly ProcessState[]>> = {
  READY: ['RUNNING', 'DEAD'],
  RUNNING: ['WAITING', 'SUSPENDED', 'DEAD'],
  WAITING: ['RUNNING', 'SUSPENDED', 'DEAD'],
  SUSPENDED: ['READY', 'DEAD'],
  DEAD: [],
};

type Kept = { readonly state: ProcessState; readonly parentPid: number | undefined; readonly exitKind: unknown };

export const processes: Part = {
  name: 'processes',
  asks: [
    (mine) => mine.processes.create({ name: 'p', template: 't' }),
    (mine, random) =>
      mine.processes.create({
        name: 'c',
        template: 't',
        parentPid: somePid(random),
        onParentEnd: random.pick(['end', 'orphan', 'detach']),
      }),
    (mine, random) => mine.processes.transition(somePid(random), random.pick(['RUNNING', 'WAITING', 'SUSPENDED', 'READY'])),
    (mine, random) => mine.processes.end(somePid(random), random.pick(['completed', 'failed'])),
    (mine, random) => mine.processes.signal(somePid(random), random.pick(['stop', 'continue', 'interrupt', 'terminate', 'kill'])),
    (mine, random) => mine.events.append({ pid: somePid(random), kind: 'note', payload: { n: random.below(100) } }),
  ],

  createModel() {
    const kept = new Map<number, Kept>();
    const get = (pid: number | undefined): Kept => {
      const found = kept.get(pid ?? 0);
      if (found === undefined) throw new Error(`An event of process ${pid}, which was never made`);
      return found;
    };
    return {
      hear({ pid = 0, kind, payload }) {
        switch (kind) {
          case 'kernel.process.created':
            if (pid !== kept.size + 1) throw new Error(`Process ${pid} was made after ${kept.size}`);
            kept.set(pid, { state: 'READY', parentPid: optional(payload['parent_pid']), exitKind: undefined });
            break;
          case 'kernel.process.transitioned':
          case 'kernel.process.terminated':
          case 'kernel.process.recovered': {
            const before = get(pid);
            const state = PROCESS_STATES.find((each) => each === payload['new_state']);
            if (state === undefined || payload['prev_state'] !== before.state)
              throw new Error(`Process ${pid} was ${before.state}, not ${payload['prev_state']}`);
            if (!LEGAL[before.state].includes(state)) throw new Error(`Process ${pid} went from ${before.state} to ${state}`);
            const exitKind = payload['exit_kind'] ?? undefined;
            kept.set(pid, { ...before, state, exitKind: state === 'DEAD' ? exitKind : undefined });
            break;
          }
          case 'kernel.process.detached':
            kept.set(pid, { ...get(pid), parentPid: undefined });
            break;
          default:
        }
      },
      get state() {
        return [...kept].map(([pid, { state, parentPid, exitKind }]) => ({ pid, state, parentPid, exitKind }));
      },
    };
  },

  async observe(mine) {
    const { processes: all } = await mine.processes.list({}, { limit: 10_000 });
    return all.map(({ pid, state, parentPid, exitKind }) => ({ pid, state, parentPid, exitKind }));
  },
};

function optional(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

import type { HandlersOf } from './handler.ts';
import { toProcess } from './record/process.ts';

export const PROCESS_HANDLERS: HandlersOf<'process.'> = {
  async 'process.signal'({ pid, signal }, { mine }) {
    return toProcess(await mine.processes.signal(pid, signal));
  },

  async 'process.tree'({ pid }, { mine }) {
    return { processes: (await mine.processes.tree(pid)).map(toProcess) };
  },
};

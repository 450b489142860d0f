import type { Platform } from '@warren/platform';
import type { HandlersOf } from './handler.ts';
import { toHook } from './record/hook.ts';

/** No process is behind a trial. */
const NO_PID = 0;

export function createHookHandlers(platform: () => Platform): HandlersOf<'hook.'> {
  return {
    async 'hook.list'() {
      return { hooks: platform().hooks.list().map(toHook) };
    },

    async 'hook.test'({ name, point, capability, input, agent }, { workspace, signal }) {
      const call = { workspace, pid: NO_PID, callId: 'call_of_a_trial', capability, input, agent };
      const trial = await platform().hooks.try(name, point, call, signal());
      return {
        outcome: trial.kind,
        input: trial.kind === 'changes' ? trial.input : null,
        reason: trial.kind === 'vetoes' || trial.kind === 'fails' ? trial.reason : null,
      };
    },
  };
}

/**
 * Hooks where a daemon holds the state directory. A run is of this process, and so are the hooks at its beginning and its end; calls, approvals and budgets are the daemon's, which cannot call a function of
 * another process.
 */
import { Fault, type WorkspaceId } from '@warren/protocol';
import { createHooks } from '../../hook/create-hooks.ts';
import { HOOK_POINTS } from '../../hook/hook-points.ts';
import type { Hooks } from '../../hook/hooks.ts';

const OF_THE_DAEMON: ReadonlySet<string> = new Set(HOOK_POINTS);

export class DaemonHooks {
  readonly #log: (message: string) => void;
  readonly #workspaces = new Map<WorkspaceId, Hooks>();

  /** Told of hooks that fail. */
  constructor(log: (message: string) => void) {
    this.#log = log;
  }

  of(id: WorkspaceId): Hooks {
    const known = this.#workspaces.get(id);
    if (known !== undefined) return known;
    const hooks = createHooks({
      onFailure: ({ hook, label, reason }) => this.#log(`Hook ${label} at ${hook} of workspace ${id} failed: ${reason}`),
    });
    const made: Hooks = {
      ...hooks,
      register(name, handler, options) {
        if (OF_THE_DAEMON.has(name)) throw cannotCross(name);
        return hooks.register(name, handler, options);
      },
    };
    this.#workspaces.set(id, made);
    return made;
  }

  /** One of the same name that is made later has none of its hooks. */
  forget(id: WorkspaceId): void {
    this.#workspaces.delete(id);
  }
}

function cannotCross(name: string): Fault {
  return new Fault(
    'unsupported',
    `Cannot register a hook at ${name}: a daemon holds the state directory and carries out the calls, and a function of this process cannot look at them there; put a command or a webhook into hooks.yaml of the state directory`,
    { details: { hook: name, fix: 'a command or a webhook in hooks.yaml' } },
  );
}

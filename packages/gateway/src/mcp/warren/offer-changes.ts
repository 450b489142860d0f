/** Tells hosts when what they offer may have changed: capabilities and policies that were loaded anew, grants of a process, an agent that is paused, goes on, or begins anew. */
import type { Kernel } from '@warren/kernel';
import type { Platform } from '@warren/platform';
import type { WorkspaceId } from '@warren/protocol';

/** What changed for whom: a process, or what is to be the process of an agent. Undefined: everybody. */
export type OfferChange = { readonly pid: number; readonly agent: string | undefined } | undefined;

type Listener = (change: OfferChange) => void;

export class OfferChanges implements Disposable {
  readonly #listeners = new Map<WorkspaceId, Set<Listener>>();
  readonly #leases: readonly (() => void)[];

  constructor(kernel: Kernel, { capabilities, policies }: Pick<Platform, 'capabilities' | 'policies'>) {
    const lease = kernel.store.onCommit((workspace, events) => {
      const listeners = this.#listeners.get(workspace);
      if (listeners === undefined) return;
      for (const { kind, pid, payload } of events) {
        if (pid === undefined || !concernsOffers(kind, payload)) continue;
        const agent = kind === 'kernel.process.created' && typeof payload['agent'] === 'string' ? payload['agent'] : undefined;
        for (const listener of listeners) listener({ pid, agent });
      }
    });
    this.#leases = [() => lease[Symbol.dispose](), capabilities.onChange(() => this.#tellAll()), policies.onChange(() => this.#tellAll())];
  }

  listen(workspace: WorkspaceId, listener: Listener): Disposable {
    const listeners = this.#listeners.get(workspace) ?? new Set();
    this.#listeners.set(workspace, listeners.add(listener));
    return {
      [Symbol.dispose]: () => {
        listeners.delete(listener);
        if (listeners.size === 0 && this.#listeners.get(workspace) === listeners) this.#listeners.delete(workspace);
      },
    };
  }

  [Symbol.dispose](): void {
    for (const end of this.#leases) end();
    this.#listeners.clear();
  }

  #tellAll(): void {
    for (const listeners of this.#listeners.values()) for (const listener of listeners) listener(undefined);
  }
}

function concernsOffers(kind: string, payload: Readonly<Record<string, unknown>>): boolean {
  if (kind.startsWith('kernel.grant.') || kind === 'kernel.process.created' || kind === 'kernel.process.terminated') return true;
  return kind === 'kernel.process.transitioned' && (payload['prev_state'] === 'SUSPENDED' || payload['new_state'] === 'SUSPENDED');
}

/** Calls under way, and what commits mean for them: their process ended, or lost a grant that one of them needs. */
import type { WorkspaceId } from '@warren/protocol';
import type { ReadTransaction, Store } from '../store/store.ts';
import type { EventRecord } from '../store/tables/event-table.ts';
import type { CallWatch, Stop } from './call-watch.ts';
import { checkGrants } from './check-grants.ts';

export class CallsUnderWay {
  readonly #store: Store;
  readonly #byProcess = new Map<string, Set<CallWatch>>();
  readonly #onEnded = new Set<() => void>();
  readonly #byId = new Map<WorkspaceId, Map<string, CallWatch>>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** From before its first transaction until it is answered. Disposing ends it. */
  add(workspace: WorkspaceId, callId: string, watch: CallWatch): Disposable {
    const key = processKey(workspace, watch.pid);
    const ofProcess = this.#byProcess.get(key) ?? new Set();
    this.#byProcess.set(key, ofProcess.add(watch));
    const ofWorkspace = this.#byId.get(workspace) ?? new Map<string, CallWatch>();
    this.#byId.set(workspace, ofWorkspace.set(callId, watch));
    return {
      [Symbol.dispose]: () => {
        ofWorkspace.delete(callId);
        if (ofWorkspace.size === 0) this.#byId.delete(workspace);
        ofProcess.delete(watch);
        if (ofProcess.size === 0) this.#byProcess.delete(key);
        for (const resolve of this.#onEnded) resolve();
        this.#onEnded.clear();
      },
    };
  }

  find(workspace: WorkspaceId, callId: string): CallWatch | undefined {
    return this.#byId.get(workspace)?.get(callId);
  }

  /** Called within the commit, so before anybody hears that a call which was committed with it may begin. */
  hear(workspace: WorkspaceId, event: EventRecord): void {
    const { kind, pid } = event;
    if (pid === undefined) return;
    if (isEndOfProcess(event)) {
      for (const watch of this.#of(workspace, pid)) watch.stop({ kind: 'process_ended' });
    } else if (kind === 'kernel.grant.narrowed' || kind === 'kernel.grant.revoked') {
      for (const watch of this.#of(workspace, pid)) this.#recheck(workspace, watch);
    }
  }

  /** Stops those of one workspace; resolves when none of them is left. */
  async stopIn(workspace: WorkspaceId, reason: Stop): Promise<void> {
    for (let left = this.#byId.get(workspace); left !== undefined && left.size > 0; left = this.#byId.get(workspace)) {
      for (const watch of [...left.values()]) watch.stop(reason);
      await new Promise<void>((resolve) => {
        this.#onEnded.add(resolve);
      });
    }
  }

  stopAll(reason: Stop): void {
    for (const watches of this.#byId.values()) for (const watch of [...watches.values()]) watch.stop(reason);
  }

  #of(workspace: WorkspaceId, pid: number): readonly CallWatch[] {
    return [...(this.#byProcess.get(processKey(workspace, pid)) ?? [])];
  }

  /** If the store cannot say whether the call still may be, it may not. */
  #recheck(workspace: WorkspaceId, watch: CallWatch): void {
    const look = (transaction: ReadTransaction) => checkGrants(transaction, watch.pid, watch.capability, watch.facts);
    const checked = this.#store
      .workspace(workspace)
      .read(look)
      .then(
        (error) => {
          if (error !== undefined) watch.stop({ kind: 'grant_lost', error });
        },
        () => watch.stop({ kind: 'cancelled' }),
      );
    watch.recheck = Promise.all([watch.recheck, checked]).then(() => {});
  }
}

export function isEndOfProcess({ kind, payload }: EventRecord): boolean {
  return kind === 'kernel.process.terminated' || (kind === 'kernel.process.recovered' && payload['new_state'] === 'DEAD');
}

export function processKey(workspace: WorkspaceId, pid: number): string {
  return `${workspace}/${pid}`;
}

/** What is under way in each workspace, so that deleting one, or closing everything, ends it and waits for it. */
import { Fault, type WorkspaceId } from '@warren/protocol';

type Work = { readonly end: AbortController; readonly done: Promise<unknown> };

export class WorkByWorkspace implements AsyncDisposable {
  readonly #working = new Map<WorkspaceId, Set<Work>>();
  readonly #stopped = new Set<WorkspaceId>();

  /** Faults: `not_found` (the workspace is being deleted). */
  async during<T>(id: WorkspaceId, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#stopped.has(id)) throw deleting(id);
    const end = new AbortController();
    const done = work(signal === undefined ? end.signal : AbortSignal.any([signal, end.signal]));
    const one = { end, done };
    const mine = this.#working.get(id) ?? new Set();
    this.#working.set(id, mine.add(one));
    try {
      return await done;
    } finally {
      mine.delete(one);
      if (mine.size === 0 && this.#working.get(id) === mine) this.#working.delete(id);
    }
  }

  /** Nothing begins there until what this gives is disposed. */
  async stop(id: WorkspaceId): Promise<Disposable> {
    this.#stopped.add(id);
    await this.#end(id, deleting(id));
    return { [Symbol.dispose]: () => void this.#stopped.delete(id) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closing = new Fault('aborted', 'Cannot go on: the platform is closing');
    await Promise.all([...this.#working.keys()].map((id) => this.#end(id, closing)));
  }

  async #end(id: WorkspaceId, reason: Fault): Promise<void> {
    const all = [...(this.#working.get(id) ?? [])];
    for (const { end } of all) end.abort(reason);
    await Promise.allSettled(all.map(({ done }) => done));
  }
}

function deleting(id: WorkspaceId): Fault {
  return new Fault('not_found', `Cannot use workspace "${id}": it is being deleted`, { details: { workspace: id } });
}

/**
 * Fair shares of claims between workspaces that have work (start-time fair queueing). Each claim moves a workspace on by one over its weight in
 * virtual time, and the one that is furthest behind is next. One that had nothing to do begins at the present: idleness earns nothing.
 */
import type { WorkspaceId } from '@warren/protocol';

/** Into how many pieces a large claim is cut at most. */
const PIECES_MAX = 32;

export class FairShare {
  readonly #weights = new Map<WorkspaceId, number>();
  readonly #finish = new Map<WorkspaceId, number>();
  /** Where the workspace was that was served last. */
  #present = 0;

  hasWeight(id: WorkspaceId): boolean {
    return this.#weights.has(id);
  }

  setWeight(id: WorkspaceId, weight: number): void {
    this.#weights.set(id, weight);
  }

  /** Divides `limit` claims between these workspaces, as if each took all it is given. */
  divide(ids: readonly WorkspaceId[], limit: number): ReadonlyMap<WorkspaceId, number> {
    const shares = new Map<WorkspaceId, number>();
    const piece = Math.ceil(limit / PIECES_MAX);
    for (let left = limit; left > 0 && ids.length > 0; left -= piece) {
      const id = this.#furthestBehind(ids);
      const count = ids.length === 1 ? left : Math.min(piece, left);
      this.#present = this.#startOf(id);
      this.#finish.set(id, this.#present + count / this.#weightOf(id));
      shares.set(id, (shares.get(id) ?? 0) + count);
      if (ids.length === 1) break;
    }
    return shares;
  }

  /** It took less than it was given. */
  giveBack(id: WorkspaceId, count: number): void {
    this.#finish.set(id, (this.#finish.get(id) ?? 0) - count / this.#weightOf(id));
  }

  forget(id: WorkspaceId): void {
    this.#weights.delete(id);
    this.#finish.delete(id);
  }

  #furthestBehind(ids: readonly WorkspaceId[]): WorkspaceId {
    return ids.reduce((best, id) => (this.#startOf(id) < this.#startOf(best) ? id : best));
  }

  #startOf(id: WorkspaceId): number {
    return Math.max(this.#present, this.#finish.get(id) ?? 0);
  }

  #weightOf(id: WorkspaceId): number {
    return this.#weights.get(id) ?? 1;
  }
}

/** The lines in which claims wait: one for each kind of claim over all workspaces, and one for each workspace while somebody waits for it alone. */
import type { WorkspaceId } from '@warren/protocol';
import type { LaneChoice } from '../store/tables/queue-table.ts';
import { WaitingLine } from './waiting-line.ts';

export type Place = Disposable & { readonly line: WaitingLine };

type OwnLine = { readonly line: WaitingLine; claims: number };

export class WaitingLines {
  readonly #general: readonly WaitingLine[] = Array.from({ length: 8 }, () => new WaitingLine());
  readonly #own = new Map<WorkspaceId, Map<number, OwnLine>>();

  /** The line for a claim; to be disposed when the claim is over. What is nothing for a claim of one kind may be something for another. */
  enter(kind: LaneChoice, workspace: WorkspaceId | undefined): Place {
    const index = (kind.isSharing ? 1 : 0) + (kind.isAdmissionChecked ? 2 : 0) + (kind.areRuns ? 4 : 0);
    if (workspace !== undefined) return this.#enterOwn(index, workspace);
    const line = this.#general[index];
    if (line === undefined) throw new Error(`No line ${index}`);
    return { line, [Symbol.dispose]: () => {} };
  }

  #enterOwn(index: number, workspace: WorkspaceId): Place {
    const lines = this.#own.get(workspace) ?? new Map<number, OwnLine>();
    this.#own.set(workspace, lines);
    const own = lines.get(index) ?? { line: new WaitingLine(), claims: 0 };
    lines.set(index, own);
    if (own.claims++ === 0) own.line.makeReady(workspace, 0); // Nobody has looked yet.
    return { line: own.line, [Symbol.dispose]: () => this.#leaveOwn(index, workspace, own) };
  }

  #leaveOwn(index: number, workspace: WorkspaceId, own: OwnLine): void {
    if (--own.claims > 0) return;
    const lines = this.#own.get(workspace);
    lines?.delete(index);
    if (lines?.size === 0) this.#own.delete(workspace);
  }

  makeReady(id: WorkspaceId, count: number): void {
    for (const line of this.#general) line.makeReady(id, count);
    for (const { line } of this.#own.get(id)?.values() ?? []) line.makeReady(id, count);
  }

  /** Ends every wait in vain. */
  sendAway(): void {
    for (const line of this.#general) line.sendAway();
    for (const lines of this.#own.values()) for (const { line } of lines.values()) line.sendAway();
  }
}

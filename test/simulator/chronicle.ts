/** What happened in one workspace as far as anybody was told. */
import assert from 'node:assert/strict';
import type { EventRecord } from '@warren/kernel';
import type { Told } from './part.ts';

export class Chronicle {
  /** Whoever caused these has been told, or could have been: they must be there whatever happens. */
  readonly events: EventRecord[] = [];
  /** Events after which a transaction ended, as far as is known. */
  readonly ends = new Set<number>();
  /** Committed, and nobody knows yet. */
  #untold: EventRecord[] = [];

  get lastId(): number {
    return this.#untold.at(-1)?.id ?? this.events.at(-1)?.id ?? 0;
  }

  /** Takes the events of a transaction that was committed. */
  commit(events: readonly EventRecord[]): void {
    this.#untold.push(...events);
    const last = events.at(-1);
    if (last !== undefined) this.ends.add(last.id);
  }

  /** Whoever asked for what was committed was told. */
  tell(): void {
    this.events.push(...this.#untold);
    this.#untold = [];
  }

  /** Nobody was told what was committed last: it may be there after a death, or not. */
  forget(): void {
    for (const { id } of this.#untold) this.ends.delete(id);
    this.#untold = [];
  }

  /** What the log has, from this id on. Throws unless all that was told is there and unchanged, and ids have no holes. */
  meet(kept: readonly EventRecord[], firstId: number): void {
    assert.deepEqual(kept.slice(0, this.events.length - firstId + 1), this.events.slice(firstId - 1), 'what was acknowledged is there');
    for (const [index, { id }] of kept.entries()) assert.equal(id, firstId + index, 'ids have no holes');
    this.events.push(...kept.slice(this.events.length - firstId + 1));
    const last = kept.at(-1);
    if (last !== undefined) this.ends.add(last.id);
  }

  /** Throws unless this was recorded after the event `since`. */
  require(told: Told, since: number): void {
    const found = [...this.events, ...this.#untold].slice(since).some((event) => matches(event, told));
    if (!found) throw new Error(`Somebody was told what is not recorded: ${JSON.stringify(told)}`);
  }
}

function matches(event: EventRecord, { kind, id, pid, payload = {} }: Told): boolean {
  if (event.kind !== kind || (id !== undefined && event.id !== id) || (pid !== undefined && event.pid !== pid)) return false;
  return Object.entries(payload).every(([key, value]) => isSame(event.payload[key], value));
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

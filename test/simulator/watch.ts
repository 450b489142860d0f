/** Who looks whether the kernel holds what its events tell: a model of each part of each workspace, and what is asked to compare. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Random } from '@warren/kernel/testing';
import type { Chronicle } from './chronicle.ts';
import type { Notes } from './notes.ts';
import type { Known, Last, Limits, Model, Observing, Part } from './part.ts';
import { LedgerModel } from './parts/ledger.ts';
import { ProcessModel } from './parts/processes.ts';
import { checkRefusal } from './refusal.ts';
import type { World } from './world.ts';

const EVENTS_MAX = 10_000;
const PROCESSES_MAX = 10_000;

export class Watch {
  readonly #world: World;
  readonly #places;

  constructor(world: World, parts: readonly Part[]) {
    this.#world = world;
    this.#places = world.places.map((place) => ({ ...place, models: new Models(parts, world.limits, place.notes) }));
  }

  get events(): number {
    return this.#places.reduce((sum, { chronicle }) => sum + chronicle.events.length, 0);
  }

  /** What is there after a start: also what nobody was told. */
  async meet(): Promise<void> {
    for (const place of this.#places) {
      if (this.#world.isDead) return;
      const observing = await this.#observe(place);
      await this.#meet(place.chronicle, observing);
      place.models.hear(place.chronicle);
      place.models.start(observing);
    }
  }

  /** Compares everything. Does nothing if the kernel dies first. */
  async check(): Promise<void> {
    await this.#world.rest();
    for (const place of this.#places) {
      if (this.#world.isDead) return;
      place.chronicle.tell();
      const observing = await this.#observe(place);
      await this.#meet(place.chronicle, observing);
      place.models.hear(place.chronicle);
      await place.models.compare(observing);
    }
  }

  /** Throws if somebody waits for what is there, while nothing is under way that could bring it. */
  async checkNobodyWaits(): Promise<void> {
    const at = this.#world.now;
    for (const { notes } of this.#places) {
      for (const { what, isThere } of notes.waiting) {
        if (!this.#world.isUntroubled || this.#world.now !== at) return; // Time passed while it was asked for, and it is due only now.
        const isWaiting = await isThere().catch((error) => checkRefusal(error));
        if (isWaiting === true && this.#world.now === at) throw new Error(`Somebody waits for ${what} although there is some`);
      }
    }
  }

  /** The last requests, and a last look. */
  async finish(random: Random): Promise<void> {
    this.#world.calm();
    await this.check();
    for (const place of this.#places) {
      for (const { last, model } of place.models.lasts) {
        const { kernel, now } = this.#world;
        const expected = last.expect(model, now);
        const asking = { mine: kernel.workspace(place.id), kernel, random, notes: place.notes, now };
        const answer = await this.#world.until(last.ask(asking));
        const isSteady = isDeepStrictEqual(last.expect(model, this.#world.now), expected); // A little time has passed.
        if (isSteady) assert.deepEqual(answer, expected, `${last.what} can be had`);
        await this.check();
      }
    }
    assert.deepEqual(await this.#world.kernel.store.check(), [], 'the store is whole');
  }

  async #observe({ id, notes }: World['places'][number]): Promise<Observing> {
    const { now, kernel, isUntroubled } = this.#world;
    const mine = kernel.workspace(id);
    const summary = await mine.observe.summary();
    const firstEventId = summary.events.lastId - summary.events.count + 1;
    const { processes } = await mine.processes.list({}, { limit: PROCESSES_MAX });
    return { mine, kernel, notes, now, isUntroubled, startedAt: summary.startedAt, firstEventId, summary, processes };
  }

  async #meet(chronicle: Chronicle, { mine, firstEventId }: Observing): Promise<void> {
    const { events } = await mine.events.tail({ since: 0, limit: EVENTS_MAX });
    chronicle.meet(events, firstEventId);
  }
}

class Models {
  readonly #known: Known;
  readonly #models: readonly { readonly part: Part; readonly model: Model }[];
  #heard = 0;

  constructor(parts: readonly Part[], limits: Limits, notes: Notes) {
    const processes = new ProcessModel();
    this.#known = { processes, ledger: new LedgerModel(processes), limits, notes };
    this.#models = parts.map((part) => ({ part, model: part.createModel(this.#known) }));
  }

  get lasts(): readonly { readonly last: Last; readonly model: Model }[] {
    return this.#models.flatMap(({ part, model }) => (part.lasts ?? []).map((last) => ({ last, model })));
  }

  hear({ events, ends }: Chronicle): void {
    const all = [this.#known.processes, this.#known.ledger, ...this.#models.map(({ model }) => model)];
    const each = [...new Set<Model>(all)];
    for (; this.#heard < events.length; this.#heard++) {
      const event = events[this.#heard];
      if (event === undefined) break;
      for (const model of each) model.hear(event);
      if (ends.has(event.id)) for (const model of each) model.rest?.();
    }
  }

  start(observing: Observing): void {
    for (const { model } of this.#models) model.start?.(observing);
  }

  async compare(observing: Observing): Promise<void> {
    for (const { part, model } of this.#models) {
      const held = await part.observe(observing);
      assert.deepEqual(held, model.state(observing), `${part.name}: what the kernel holds is what the events tell`);
    }
  }
}

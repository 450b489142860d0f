/**
 * One schedule: a seed decides who asks for what, what goes wrong when, and where the kernel dies. Whenever somebody is answered, what they
 * were told is recorded. After each death, now and then, and at the end: every event that was acknowledged is there and unchanged, ids
 * have no holes, and what the events tell is what the kernel holds. At the very end whatever waits in it can still be had.
 */
import { createRandom, type FaultPoint, type Random } from '@warren/kernel/testing';
import { ask } from './ask.ts';
import type { Ask, Part } from './part.ts';
import { PARTS } from './parts/index.ts';
import { Watch } from './watch.ts';
import { World, type WorldOptions } from './world.ts';

const LIVES_MAX = 3;
const BATCHES_MAX = 8;
const SHORT_BATCHES = 2;
const AT_ONCE_MAX = 14;
const CLOCK_JUMP_MS = 7_200_000;

export type ScheduleOptions = Omit<WorldOptions, 'random'> & {
  /** Default: all. */
  readonly parts?: readonly Part[] | undefined;
  /** One life, and not a long one. */
  readonly isShort?: boolean | undefined;
};

export type ScheduleResult = {
  readonly asked: number;
  readonly deaths: number;
  readonly events: number;
  /** Where the kernel could have died. */
  readonly points: readonly FaultPoint[];
};

/** Throws an error that names the seed. */
export async function runSchedule(seed: number, options: ScheduleOptions = {}): Promise<ScheduleResult> {
  const random = createRandom(seed);
  const parts = options.parts ?? PARTS;
  try {
    await using world = new World({ ...options, random });
    const schedule = new Schedule(world, parts, random);
    const isShort = options.isShort ?? false;
    await schedule.run(isShort ? { lives: 1, batches: SHORT_BATCHES } : { lives: 1 + random.below(LIVES_MAX), batches: BATCHES_MAX });
    return { asked: schedule.asked, deaths: world.deaths, events: schedule.watch.events, points: world.points };
  } catch (error) {
    throw new Error(`Schedule ${seed} failed: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

class Schedule {
  readonly watch: Watch;
  asked = 0;
  readonly #world: World;
  readonly #random: Random;
  /** Each part as often as it is to be asked, however many requests it knows. */
  readonly #asks: readonly (readonly Ask[])[];
  readonly #openings: readonly (readonly Ask[])[];
  /** Those who ask and have not all been answered. */
  #asking: Promise<unknown> = Promise.resolve();

  constructor(world: World, parts: readonly Part[], random: Random) {
    this.#world = world;
    this.#random = random;
    this.#asks = parts.flatMap(({ asks, weight }) => Array<readonly Ask[]>(weight).fill(asks));
    this.#openings = parts.map(({ opening = [] }) => opening);
    this.watch = new Watch(world, parts);
  }

  async run({ lives, batches }: { readonly lives: number; readonly batches: number }): Promise<void> {
    await this.#world.begin();
    for (const opening of this.#openings) {
      this.#askAtOnce(opening.length, opening);
      await this.#world.until(this.#asking);
    }
    for (let life = 0; life < lives; life++) {
      await this.#live(1 + this.#random.below(batches));
      const isLast = life === lives - 1;
      if (this.#world.isDead || !isLast || this.#random.chance(0.5)) await this.#restart(); // What is in memory ends with it, also what is wrong.
    }
    await this.watch.finish(this.#random);
  }

  /** Until it dies or has had enough. */
  async #live(batches: number): Promise<void> {
    const { chance, below } = this.#random;
    for (let batch = 0; batch < batches && !this.#world.isDead; batch++) {
      if (chance(0.3)) this.#world.planTrouble();
      if (chance(0.15)) this.#world.setClock(below(2 * CLOCK_JUMP_MS) - CLOCK_JUMP_MS);
      if (chance(0.05)) this.#world.checkpoint();
      this.#world.pass(below(chance(0.3) ? 60_000 : 3_000));
      this.#askAtOnce(1 + below(AT_ONCE_MAX));
      if (chance(0.1)) {
        await this.#restart(); // In the middle of it.
        continue;
      }
      await this.#world.until(this.#asking, () => this.watch.checkNobodyWaits());
      if (!this.#world.isDead && chance(0.2)) await this.watch.check();
    }
  }

  #askAtOnce(count: number, chosen: readonly Ask[] = []): void {
    this.asked += count;
    const answers = Array.from({ length: count }, async (_, index) => {
      const one = chosen[index] ?? this.#random.find(this.#random.find(this.#asks) ?? []);
      if (one !== undefined) await ask(this.#world, one, this.#random);
    });
    this.#asking = Promise.all(answers);
    this.#asking.catch(() => {}); // Whoever waits for it hears of it.
  }

  async #restart(): Promise<void> {
    do {
      await this.#world.restart();
      await this.watch.meet();
      await this.#world.until(this.#asking);
      await this.watch.check();
    } while (this.#world.isDead);
  }
}

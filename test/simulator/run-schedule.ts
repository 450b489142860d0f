/**
 * One schedule: a seed decides who asks for what, what goes wrong when, and where the kernel dies. After each death and at the end: every event
 * that was acknowledged is there and unchanged, ids have no holes, and what the events tell is what the kernel holds.
 */
import assert from 'node:assert/strict';
import type { EventRecord, WorkspaceKernel } from '@warren/kernel';
import { createRandom, PlayedCrash, type Random } from '@warren/kernel/testing';
import { isFault } from '@warren/protocol';
import { PARTS } from './parts/index.ts';
import { World } from './world.ts';

const LIVES_MAX = 4;
const BATCHES_MAX = 6;
const AT_ONCE_MAX = 6;
const CLOCK_JUMP_MS = 7_200_000;

export type ScheduleResult = { readonly asked: number; readonly deaths: number; readonly events: number };

/** Throws an error that names the seed. */
export async function runSchedule(seed: number): Promise<ScheduleResult> {
  const random = createRandom(seed);
  await using world = new World(random);
  const history: EventRecord[] = [];
  let [asked, deaths] = [0, 0];
  try {
    await world.open();
    for (let lives = 1 + random.below(LIVES_MAX); lives > 0; lives--) {
      asked += await live(world, random, history);
      if (world.isDead) deaths++;
      await world.restart();
      await check(world.mine, history);
    }
    return { asked, deaths, events: history.length };
  } catch (error) {
    throw new Error(`Schedule ${seed} failed: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Until it dies or has had enough. Returns how many things were asked. */
async function live(world: World, random: Random, history: EventRecord[]): Promise<number> {
  let asked = 0;
  for (let batches = 1 + random.below(BATCHES_MAX); batches > 0 && !world.isDead; batches--) {
    if (random.chance(0.6)) world.planTrouble();
    if (random.chance(0.2)) world.setClock(random.below(2 * CLOCK_JUMP_MS) - CLOCK_JUMP_MS);
    world.pass(random.below(40_000));
    const asks = Array.from({ length: 1 + random.below(AT_ONCE_MAX) }, () => random.find(PARTS.flatMap((part) => part.asks)));
    asked += asks.length;
    const answers = await Promise.allSettled(asks.map((ask) => ask?.(world.mine, random, world)));
    for (const answer of answers) if (answer.status === 'rejected') checkRefusal(answer.reason);
    if (!world.isDead) await learn(world.mine, history);
  }
  return asked;
}

/** Faults are answers; a death may take any answer with it. Anything else is a defect. */
function checkRefusal(error: unknown): void {
  if (error instanceof PlayedCrash) return;
  if (isFault(error) && error.code !== 'internal' && error.code !== 'store_failed') return;
  throw error;
}

/** Everything that is committed now was acknowledged, or could have been. */
async function learn(mine: WorkspaceKernel, history: EventRecord[]): Promise<void> {
  const { events } = await mine.events.tail({ since: history.length, limit: 10_000 });
  history.push(...events);
}

async function check(mine: WorkspaceKernel, history: EventRecord[]): Promise<void> {
  const { events } = await mine.events.tail({ since: 0, limit: 10_000 });
  assert.deepEqual(
    events.map(({ id }) => id),
    events.map((_, index) => index + 1),
    'ids have no holes',
  );
  assert.deepEqual(events.slice(0, history.length), history, 'what was acknowledged is there');
  history.push(...events.slice(history.length));
  for (const part of PARTS) {
    const model = part.createModel();
    for (const event of events) model.hear(event);
    assert.deepEqual(await part.observe(mine), model.state, `${part.name}: what the events tell is what the kernel holds`);
  }
}

/** One who asks: for what, and whether the answer is to be believed. */
import type { Random } from '@warren/kernel/testing';
import type { Ask } from './part.ts';
import { checkRefusal } from './refusal.ts';
import type { World } from './world.ts';

/** Resolves when the request was answered, refused, or died. Throws for an answer that must not be. */
export async function ask(world: World, one: Ask, random: Random): Promise<void> {
  const place = world.places[random.below(world.places.length)];
  if (place === undefined) return;
  const { chronicle, notes, id } = place;
  const since = chronicle.lastId;
  try {
    const told = await one({ mine: world.kernel.workspace(id), kernel: world.kernel, random, notes, now: world.now });
    for (const each of told) chronicle.require(each, since);
  } catch (error) {
    checkRefusal(error);
  }
}

/** Kills a daemon under load again and again, and checks after each start what it had acknowledged. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '@warren/kernel/testing';
import { Daemon } from './daemon.ts';
import { Load } from './load.ts';

const PROCESSES = 4;
/** Between a start and a death. Short: most of what can go wrong is near one of them. */
const LIFE_MS_MAX = 250;

export type TortureOptions = {
  readonly state: string;
  readonly kills: number;
  readonly seed: number;
  readonly onKill?: (kills: number, acknowledged: number) => void;
};

/** Returns how many acknowledged operations survived. Throws when one did not, or was done twice. */
export async function torture({ state, kills, seed, onKill }: TortureOptions): Promise<number> {
  const random = createRandom(seed);
  let daemon = await Daemon.start(state);
  try {
    const load = await Load.begin(daemon.client, PROCESSES);
    for (let kill = 1; kill <= kills; kill++) {
      const running = load.run(daemon.client);
      await sleep(random.below(LIFE_MS_MAX)); // The moment of death; nothing depends on it.
      await daemon.kill();
      await running;
      daemon = await Daemon.start(state);
      await load.check(daemon.client);
      onKill?.(kill, load.acknowledged);
    }
    return load.acknowledged;
  } finally {
    await daemon.kill();
  }
}

/** `npm run torture -- --kills 1000`: the long form of the test, minutes of it. Exits 1 at the first thing that was lost or done twice. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { torture } from './torture.ts';

/** Events grow; checking reads all of them, so each so many kills begin anew. */
const KILLS_EACH = 100;
const { values } = parseArgs({
  options: { kills: { type: 'string', default: '1000' }, seed: { type: 'string', default: `${Date.now() % 1_000_000}` } },
});
const kills = Number(values.kills);
const seed = Number(values.seed);
const build = resolve(import.meta.dirname, '../../build');
mkdirSync(build, { recursive: true });
console.log(`torture: ${kills} kills, seed ${seed}`);
let acknowledged = 0;
for (let done = 0; done < kills; done += KILLS_EACH) {
  const state = mkdtempSync(join(build, 'torture-')); // On a disk, not in memory.
  try {
    acknowledged += await torture({ state, kills: Math.min(KILLS_EACH, kills - done), seed: seed + done });
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
  console.log(
    `torture: ${Math.min(done + KILLS_EACH, kills)} of ${kills} kills, ${acknowledged} operations were acknowledged, none was lost or done twice`,
  );
}

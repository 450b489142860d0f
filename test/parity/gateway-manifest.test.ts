/** The manifest of the gate and the tests beside it say the same. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkCitations, citedIn, countWaiting } from './check-citations.ts';
import { GATE_MANIFEST, GATE_ORIGINS } from './gateway-manifest.ts';

const cited = readdirSync(import.meta.dirname)
  .filter((name) => /^gateway-.*\.test\.ts$/.test(name) && name !== 'gateway-manifest.test.ts')
  .flatMap((name) => citedIn(readFileSync(join(import.meta.dirname, name), 'utf8'), 'provesGate'));

it('every check is in the manifest, and every entry that does not wait is proved', () => {
  expect(checkCitations(GATE_MANIFEST, GATE_ORIGINS, cited)).toEqual([]);
  const proved = Object.values(GATE_MANIFEST).filter((entry) => !('waitsFor' in entry));
  console.info(`gate: ${proved.length} entries are proved by ${cited.length} tests`);
  for (const [what, ids] of countWaiting(GATE_MANIFEST)) console.info(`gate: ${ids.length} wait for ${what}: ${ids.join(', ')}`);
});

it('citations of the gate are told apart from those of the other manifest', () => {
  expect(citedIn(`provesGate('a:one', () => {}); proves('a:two', () => {})`, 'provesGate')).toEqual(['a:one']);
  expect(citedIn(`provesGate('a:one', () => {}); proves('a:two', () => {})`)).toEqual(['a:two']);
});

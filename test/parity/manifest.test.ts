/** The manifest and the tests beside it say the same. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OPERATIONS } from '@warren/protocol/contract';
import { describe, expect, it } from 'vitest';
import { checkCitations, citedIn, countWaiting, type Entries } from './check-citations.ts';
import { MANIFEST, ORIGINS, type Proved, type Waiting } from './manifest.ts';

const SOURCES = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.test.ts') && !name.includes('manifest'))
  .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'));

it('every group is in the manifest, and every entry that does not wait is proved', () => {
  const cited = SOURCES.flatMap((source) => citedIn(source));
  expect(checkCitations(MANIFEST, ORIGINS, cited)).toEqual([]);
  const waiting = countWaiting(MANIFEST);
  const entries: readonly (Proved | Waiting)[] = Object.values(MANIFEST);
  const proved = entries.filter((entry) => !('waitsFor' in entry));
  const differing = proved.filter((entry) => 'differs' in entry);
  console.info(
    `parity: ${proved.length} entries are proved by ${cited.length} tests, ${differing.length} of them with a difference on purpose`,
  );
  for (const [what, ids] of waiting) console.info(`parity: ${ids.length} wait for ${what}: ${ids.join(', ')}`);
});

it('every stable method of the kernel is called by a test', () => {
  const text = SOURCES.join('\n');
  const stable = Object.entries(OPERATIONS).filter(([name, { tier }]) => name.startsWith('kernel.') && tier === 'stable');
  expect(stable.map(([name]) => name).filter((name) => !text.includes(`'${name}'`))).toEqual([]);
});

describe('checkCitations', () => {
  const ENTRIES: Entries = {
    'a:one': { origin: 1, behaviour: 'One' },
    'a:two': { origin: 'B1', behaviour: 'Two', waitsFor: 'agents', why: 'none' },
  };

  it('finds nothing wrong where nothing is', () => {
    expect(checkCitations(ENTRIES, [1, 'B1'], ['a:one', 'a:one'])).toEqual([]);
  });

  it('finds what is not proved, what is proved and said to wait, what is unknown, and a group that is missing or made up', () => {
    expect(checkCitations(ENTRIES, [1, 'B1'], [])).toEqual(['a:one is proved by no test']);
    expect(checkCitations(ENTRIES, [1, 'B1'], ['a:one', 'a:two'])).toEqual(['a:two is proved and still said to wait for agents']);
    expect(checkCitations(ENTRIES, [1, 'B1'], ['a:one', 'toString'])).toEqual(['toString is cited and not in the manifest']);
    expect(checkCitations(ENTRIES, [1, 2, 'B1'], ['a:one'])).toEqual(['group 2 is not in the manifest']);
    expect(checkCitations(ENTRIES, [1], ['a:one'])).toEqual(['a:two is of group B1, which there is not']);
  });

  it('reads citations, and counts what waits', () => {
    expect(citedIn(`proves(\n  'a:one', async () => {});\nproves('a:two', 'some', () => {}); improves('a:three')`)).toEqual([
      'a:one',
      'a:two',
    ]);
    expect([...countWaiting(ENTRIES)]).toEqual([['agents', ['a:two']]]);
  });
});

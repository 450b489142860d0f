/** The manifest of the library and the tests beside it say the same. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkCitations, citedIn } from './check-citations.ts';
import { LIBRARY_MANIFEST, LIBRARY_ORIGINS } from './library-manifest.ts';

const ROOT = join(import.meta.dirname, '../..');
const cited = ['library.test.ts', 'library-skills.test.ts'].flatMap((file) =>
  citedIn(readFileSync(join(import.meta.dirname, file), 'utf8'), 'provesLibrary'),
);

it('every check is in the manifest, and every entry that does not wait is proved', () => {
  expect(checkCitations(LIBRARY_MANIFEST, LIBRARY_ORIGINS, cited)).toEqual([]);
});

it('every entry that another test holds names it, and there it is', () => {
  const held = Object.entries(LIBRARY_MANIFEST).flatMap(([id, entry]) => ('heldBy' in entry ? Object.entries(entry.heldBy).map(([file, titles]) => ({ id, file, titles })) : [])); // biome-ignore format: one line
  expect(held.length).toBeGreaterThan(0);
  for (const { id, file, titles } of held) {
    const source = readFileSync(join(ROOT, file), 'utf8');
    expect([id, titles.length > 0, titles.filter((title) => !source.includes(title))]).toEqual([id, true, []]);
  }
});

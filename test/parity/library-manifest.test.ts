/** The manifest of the library and the tests beside it say the same. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkCitations, citedIn, countWaiting } from './check-citations.ts';
import { LIBRARY_MANIFEST, LIBRARY_ORIGINS } from './library-manifest.ts';

const cited = citedIn(readFileSync(join(import.meta.dirname, 'library.test.ts'), 'utf8'), 'provesLibrary');

it('every check is in the manifest, and every entry that does not wait is proved', () => {
  expect(checkCitations(LIBRARY_MANIFEST, LIBRARY_ORIGINS, cited)).toEqual([]);
  for (const [what, ids] of countWaiting(LIBRARY_MANIFEST)) console.info(`library: ${ids.length} wait for ${what}: ${ids.join(', ')}`);
});

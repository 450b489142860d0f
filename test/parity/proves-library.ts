/** A test that holds us to an entry of the manifest of the library. */
import { it } from 'vitest';
import { LIBRARY_MANIFEST, type LibraryProvedId } from './library-manifest.ts';

export function provesLibrary(id: LibraryProvedId, body: () => Promise<void> | void): void {
  it(`${id}: ${LIBRARY_MANIFEST[id].behaviour}`, body);
}

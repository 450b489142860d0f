/**
 * Makes the store of this version that later versions must be able to read: run it once when a version with a new migration is released, and
 * never again for that version. `node --conditions=warren-source test/store/make-fixture.ts`
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openKernel } from '@warren/kernel';
import { fillStore } from './fixture-content.ts';

const directory = mkdtempSync(join(tmpdir(), 'warren-fixture-'));
try {
  const kernel = await openKernel({ directory });
  const { schemaVersion } = kernel.store;
  await fillStore(kernel);
  await kernel.close();
  const path = join(import.meta.dirname, 'fixtures', `${`${schemaVersion}`.padStart(4, '0')}.db.gz`);
  writeFileSync(path, gzipSync(readFileSync(join(directory, 'kernel.db')), { level: 9 }), { flag: 'wx' });
  console.log(`written: ${path}`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/** Opens a state directory, or a folder of directories with an SQLite file each, and says how long it took and what it holds: `[ms, MiB]`. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openKernel } from '@warren/kernel';

const [what, directory = ''] = process.argv.slice(2);
const startedAt = performance.now();
await using _ = what === 'kernel' ? await openKernel({ directory }) : openFiles(directory);
const ms = performance.now() - startedAt;
console.log(JSON.stringify([ms, process.memoryUsage.rss() / 1_048_576]));

function openFiles(folder: string): AsyncDisposable {
  const open = readdirSync(folder).map((name) => {
    const database = new DatabaseSync(join(folder, name, 'workspace.db'));
    database.prepare('SELECT count(*) FROM entry').get();
    return database;
  });
  return {
    async [Symbol.asyncDispose]() {
      for (const database of open) database.close();
    },
  };
}

/** The same table and row as the kernel's event log, each event in a transaction and a flush of its own. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { temporaryDirectory } from '../harness/temporary-kernel.ts';

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE events (ws INTEGER, id INTEGER, pid INTEGER, at INTEGER, kind TEXT, payload TEXT, PRIMARY KEY (ws, id)) STRICT, WITHOUT ROWID;
  CREATE INDEX by_pid ON events (ws, pid, id);
  CREATE INDEX by_kind ON events (ws, kind, id);`;

export class OneFlushEach implements Disposable {
  readonly #directory = temporaryDirectory();
  readonly #database: DatabaseSync;
  readonly #insert;
  #next = 1;

  constructor() {
    this.#database = new DatabaseSync(join(this.#directory, 'events.db'));
    this.#database.exec(SCHEMA);
    this.#insert = this.#database.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)');
  }

  append(payload: object): void {
    this.#insert.run(1, this.#next++, 1, Date.now(), 'bench.event', JSON.stringify(payload));
  }

  [Symbol.dispose](): void {
    this.#database.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

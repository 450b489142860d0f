/**
 * One writer for each state directory. The lock is an exclusive lock of SQLite on a file of its own: the kernel of the machine gives it back
 * when its holder dies, however it dies, and nobody else can take the name away as with a socket. A second file names the holder.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '@warren/protocol';

export class StateLock implements Disposable {
  readonly #connection: DatabaseSync;

  private constructor(connection: DatabaseSync) {
    this.#connection = connection;
  }

  /** Throws `busy` with the pid of the holder in its details. */
  static take(directory: string): StateLock {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const connection = new DatabaseSync(join(directory, 'kernel.lock'), { timeout: 0 });
    try {
      connection.exec('PRAGMA journal_mode = MEMORY'); // No journal file beside a file that is never written.
      connection.exec('BEGIN EXCLUSIVE');
      writeFileSync(join(directory, 'kernel.pid'), `${process.pid}\n`, { mode: 0o600 });
      return new StateLock(connection);
    } catch (error) {
      connection.close();
      if (!(error instanceof Error) || !('errcode' in error) || error.errcode !== 5) throw error;
      const pid = holderOf(directory);
      const who = pid === undefined ? 'another process' : `process ${pid}`;
      throw new Fault('busy', `Cannot open the state directory ${directory}: ${who} has it open`, { cause: error, details: { pid } });
    }
  }

  [Symbol.dispose](): void {
    if (this.#connection.isOpen) this.#connection.close();
  }
}

/** Who took the lock last. It holds it only if it is locked. */
function holderOf(directory: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(join(directory, 'kernel.pid'), 'utf8'), 10);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined; // Between the lock and the name there is a moment without one.
  }
}

/** What the tables of one workspace share. */
import type { EventRecord } from '../tables/event-table.ts';
import type { Database } from './database.ts';

/** Numbers that are given out in order: the pid, event id, … of the newest row plus one. */
export type CounterName = 'pid' | 'event' | 'grant' | 'entry' | 'message' | 'reservation' | 'body' | 'run';

export interface Counters {
  /** The number the next `take` gives. */
  peek(name: CounterName): number;
  take(name: CounterName): number;
  /** Call before deleting a row that may have the largest number: it is never given again. */
  keepFloor(name: CounterName): void;
}

export type TableContext = {
  /** The key of the workspace in every table. */
  readonly ws: number;
  readonly counters: Counters;
  /** Kernel time of the transaction. */
  now(): number;
  /** Takes an event that was appended, to be told to listeners after the commit. */
  appended(event: EventRecord, payloadBytes: number): void;
};

/** Where the largest number so far stands. */
const SOURCES: Readonly<Record<CounterName, string>> = {
  pid: 'SELECT max(pid) AS value FROM processes WHERE ws = ?',
  event: 'SELECT max(id) AS value FROM events WHERE ws = ?',
  grant: 'SELECT max(grant_id) AS value FROM grants WHERE ws = ?',
  entry: 'SELECT max(id) AS value FROM queue WHERE ws = ?',
  message: 'SELECT max(newest_id) AS value FROM boxes WHERE ws = ?',
  reservation: 'SELECT max(id) AS value FROM reservations WHERE ws = ?',
  body: 'SELECT max(body) AS value FROM bodies WHERE ws = ?',
  run: 'SELECT max(id) AS value FROM runs WHERE ws = ?',
};

/** Remembers the counters of all workspaces; forgets them when anything was undone, and reads them again when they are needed. */
export class CounterCache {
  readonly #remembered = new Map<string, number>();
  readonly #database: Database;
  readonly #floor;
  readonly #keepFloor;

  constructor(database: Database) {
    this.#database = database;
    this.#floor = database.query('SELECT value FROM floors WHERE ws = ? AND name = ?');
    this.#keepFloor = database.change(
      'INSERT INTO floors (ws, name, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)',
    );
  }

  forget(): void {
    this.#remembered.clear();
  }

  of(ws: number): Counters {
    const peek = (name: CounterName): number => {
      const key = `${name}:${ws}`;
      const known = this.#remembered.get(key) ?? this.#read(ws, name);
      this.#remembered.set(key, known);
      return known;
    };
    return {
      peek,
      take: (name) => {
        const next = peek(name);
        this.#remembered.set(`${name}:${ws}`, next + 1);
        return next;
      },
      keepFloor: (name) => {
        this.#keepFloor.run(ws, name, peek(name) - 1);
      },
    };
  }

  #read(ws: number, name: CounterName): number {
    const newest = Number(this.#database.query(SOURCES[name]).get(ws)?.['value'] ?? 0);
    const floor = Number(this.#floor.get(ws, name)?.['value'] ?? 0);
    return Math.max(newest, floor) + 1;
  }
}

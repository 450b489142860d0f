/**
 * How SQLite goes about each statement. A walk over all rows of a workspace, or of the store, is a defect that no small test notices: each one
 * there is stands here with its reason.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MIGRATIONS } from '../migrations/index.ts';
import { RUN_STATES } from '../tables/run-table.ts';
import { type Change, Database, type Query } from './database.ts';
import { migrate } from './migrate.ts';
import { prepareRuns } from './run-table.ts';
import { prepareStatements } from './workspace-rows.ts';

/** A part of the statement, and why it may look at so much. */
const WALKS: readonly (readonly [string, string])[] = [
  ['ORDER BY id DESC LIMIT', 'stops at the limit'],
  ['SELECT min(', 'is the first row of the index'],
  ['min(runnable_at)', 'is the first row of the index'],
  ['count(*)', 'counts, from an index that has nothing else; for people who look, not for programs that work'],
  ['total(', 'as above'],
  ['ORDER BY f.path LIMIT', 'stops at the limit, in the order of the key'],
  ['is_pattern = 1 LIMIT 1', 'stops at the first'],
  ['INDEXED BY ledger_breached', 'has only the rows that are asked for'],
  ['SET lease_until = ? + lease_ms', 'means every lease there is; once, at a start'],
  ['INDEXED BY calls_unfinished WHERE ws = ? AND state = ?', 'has only what is unfinished; for a start and for people'],
  ['ORDER BY due_at LIMIT 1', 'is the first row of the index'],
  ['FROM data_keys', 'reads the keys of a workspace, of which there are one or two'],
  ['runs AS r NOT INDEXED', 'stops at the limit, in the order of the key'],
  ['runs AS r INDEXED BY runs_live', 'has only runs that have not ended, in the order they are asked for'],
  ['FROM tokens', 'lists or tidies the tokens of a workspace, of which there are few'],
];

class RecordingDatabase extends Database {
  statements: string[] | undefined;

  override query(sql: string): Query {
    this.statements?.push(sql); // Before its constructor is through there is no list.
    return super.query(sql);
  }

  override change(sql: string): Change {
    this.statements?.push(sql); // Before its constructor is through there is no list.
    return super.change(sql);
  }
}

it('no statement walks over a workspace to find a few rows', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warren-plans-'));
  const database = new RecordingDatabase(join(directory, 'plans.db'), { isReadOnly: false });
  try {
    migrate(database, MIGRATIONS, { isReadOnly: false });
    database.statements = [];
    prepareStatements(database);
    askForRuns(database);
    const statements = [...new Set(database.statements)].filter((sql) => !/^\s*INSERT[^;]*VALUES/i.test(sql));
    const walks = statements.flatMap((sql) =>
      WALKS.some(([part]) => sql.includes(part)) ? [] : walksOf(database, sql).map((step) => `${step}: ${sql.replace(/\s+/g, ' ').trim()}`),
    );
    expect(walks).toEqual([]);
    expect(statements.length).toBeGreaterThan(50);
  } finally {
    database.close();
    rmSync(directory, { recursive: true, force: true });
  }
});

/** Their lists are made for each set of conditions. */
function askForRuns(database: Database): void {
  const { list } = prepareRuns(database);
  for (const state of [undefined, ...RUN_STATES])
    for (const parent of [undefined, 1])
      for (const session of [undefined, 's']) for (const agent of [undefined, 'a']) list({ state, parent, session, agent });
}

function walksOf(database: Database, sql: string): readonly string[] {
  return Database.prototype.query
    .call(database, `EXPLAIN QUERY PLAN ${sql}`)
    .all()
    .map((row) => String(row['detail']))
    .filter(
      (step) => /^SCAN (?!json_each|\(subquery|below|above|\S+ VIRTUAL TABLE|CONSTANT)/.test(step) || /^SEARCH .*\(ws=\?\)$/.test(step),
    );
}

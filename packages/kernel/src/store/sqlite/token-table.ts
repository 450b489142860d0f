import type { TokenTable } from '../tables/token-table.ts';
import type { Database } from './database.ts';

export class SqliteTokenTable implements TokenTable {
  constructor(_database: Database) {}
}

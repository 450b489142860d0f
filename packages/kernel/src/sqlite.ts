/** One SQLite connection as the store has it, for what keeps a file of its own beside it: the settings that make it durable, prepared statements, and what its errors mean. */
export { type Change, Database, type Query, type Row, storeFault } from './store/sqlite/database.ts';

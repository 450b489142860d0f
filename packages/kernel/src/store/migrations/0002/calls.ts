/**
 * Every call is inserted and updated once, thousands of times a second, so an index has to be worth it: what is unfinished is little, few calls
 * have a key, and what is done is deleted in the order of its end.
 */
export const CALLS = `
CREATE TABLE calls (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  id TEXT NOT NULL,
  pid INTEGER NOT NULL,
  capability TEXT NOT NULL,
  version TEXT NOT NULL,
  effect TEXT NOT NULL CHECK (effect = 'read' OR effect = 'idempotent' OR effect = 'once'),
  state TEXT NOT NULL CHECK (state = 'asked' OR state = 'open' OR state = 'done'),
  hash TEXT NOT NULL,
  idempotency_key TEXT,
  approval_id TEXT,
  input TEXT,
  created_at INTEGER NOT NULL,
  opened_at INTEGER,
  attempts INTEGER NOT NULL CHECK (attempts >= 0),
  reservation_id INTEGER,
  ended_at INTEGER,
  record TEXT NOT NULL,
  answer TEXT,
  PRIMARY KEY (ws, id),
  CHECK ((state = 'done') = (ended_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX calls_unfinished ON calls (ws, pid, state, created_at, id) WHERE state <> 'done';
CREATE INDEX calls_by_ended_at ON calls (ws, ended_at, id) WHERE ended_at IS NOT NULL;
CREATE UNIQUE INDEX calls_by_key ON calls (ws, pid, idempotency_key) WHERE idempotency_key IS NOT NULL;
`;

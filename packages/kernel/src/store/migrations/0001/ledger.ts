/**
 * An account is a text (`process:12`, `agent:alice`, `workspace`), so that the accounts of one charge are fetched at once; `pid` is there to
 * sort by. A released reservation stays a while: what its call used may still be told.
 */
export const LEDGER = `
CREATE TABLE ledger (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  account TEXT NOT NULL,
  dim TEXT NOT NULL,
  pid INTEGER,
  position INTEGER NOT NULL,
  used INTEGER NOT NULL CHECK (used >= 0),
  reserved INTEGER NOT NULL CHECK (reserved >= 0),
  granted INTEGER NOT NULL CHECK (granted >= 1),
  warn_at REAL NOT NULL CHECK (warn_at BETWEEN 0 AND 1),
  on_breach TEXT NOT NULL CHECK (on_breach IN ('suspend', 'kill', 'deny')),
  PRIMARY KEY (ws, account, dim)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_breached ON ledger (ws, pid, account, dim) WHERE used > granted;
CREATE INDEX ledger_accounts ON ledger (ws) WHERE position = 0;
CREATE TABLE reservations (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  id INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  released_at INTEGER,
  holds TEXT NOT NULL,
  PRIMARY KEY (ws, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX reservations_open ON reservations (ws, pid, id) WHERE released_at IS NULL;
CREATE INDEX reservations_released ON reservations (ws, released_at, id) WHERE released_at IS NOT NULL;
`;

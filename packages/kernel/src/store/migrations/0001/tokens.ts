/** Of a token only its SHA-256 is kept. Without a workspace it is an operator's; with a pid it is of that process and ends with it. */
export const TOKENS = `
CREATE TABLE tokens (
  id TEXT NOT NULL PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  ws INTEGER REFERENCES workspaces (ws) ON DELETE CASCADE,
  pid INTEGER,
  label TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  CHECK (pid IS NULL OR ws IS NOT NULL),
  FOREIGN KEY (ws, pid) REFERENCES processes (ws, pid)
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_workspace ON tokens (ws, created_at, id);
CREATE INDEX tokens_by_process ON tokens (ws, pid) WHERE pid IS NOT NULL;
`;

export const EVENTS = `
CREATE TABLE events (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  id INTEGER NOT NULL,
  pid INTEGER,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  payload TEXT NOT NULL,
  causation_id INTEGER,
  correlation_id TEXT,
  PRIMARY KEY (ws, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_by_pid ON events (ws, pid, id) WHERE pid IS NOT NULL;
CREATE INDEX events_by_kind ON events (ws, kind, id);
`;

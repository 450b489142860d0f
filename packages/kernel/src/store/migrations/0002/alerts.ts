export const ALERTS = `
CREATE TABLE alerts (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  id TEXT NOT NULL,
  agent TEXT NOT NULL,
  pid INTEGER,
  message TEXT NOT NULL,
  severity TEXT NOT NULL CHECK (severity = 'info' OR severity = 'warning' OR severity = 'critical'),
  context TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  acknowledged_at INTEGER,
  acknowledged_by TEXT,
  PRIMARY KEY (ws, id),
  CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX alerts_by_created_at ON alerts (ws, created_at, id);
CREATE INDEX alerts_by_agent ON alerts (ws, agent, created_at, id);
CREATE INDEX alerts_pending ON alerts (ws, created_at, id) WHERE acknowledged_at IS NULL;
CREATE INDEX alerts_by_acknowledged_at ON alerts (ws, acknowledged_at, id) WHERE acknowledged_at IS NOT NULL;
`;

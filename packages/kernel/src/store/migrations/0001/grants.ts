export const GRANTS = `
CREATE TABLE grants (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  pid INTEGER NOT NULL,
  grant_id INTEGER NOT NULL,
  parent_grant_id INTEGER,
  tools TEXT NOT NULL,
  paths TEXT NOT NULL,
  hosts TEXT NOT NULL,
  models TEXT NOT NULL,
  sub_agents INTEGER NOT NULL CHECK (sub_agents IN (0, 1)),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (ws, pid)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX grants_by_id ON grants (ws, grant_id);
CREATE INDEX grants_by_parent ON grants (ws, parent_grant_id, pid) WHERE parent_grant_id IS NOT NULL;
`;

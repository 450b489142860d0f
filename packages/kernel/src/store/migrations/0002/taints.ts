export const TAINTS = `
CREATE TABLE taints (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  pid INTEGER NOT NULL,
  label TEXT NOT NULL,
  since INTEGER NOT NULL,
  call_id TEXT,
  PRIMARY KEY (ws, pid, label)
) STRICT, WITHOUT ROWID;
`;

/** `floors` remembers the largest number ever given where the row that had it may be deleted: no pid, event or message id is given twice. */
export const WORKSPACES = `
CREATE TABLE workspaces (
  ws INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  settings TEXT NOT NULL
) STRICT;
CREATE TABLE floors (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  name TEXT NOT NULL,
  value INTEGER NOT NULL,
  PRIMARY KEY (ws, name)
) STRICT, WITHOUT ROWID;
`;

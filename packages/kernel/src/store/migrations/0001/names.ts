/** Text compares byte by byte, which is the order of code points: prefixes are ranges, and case counts. */
export const NAMES = `
CREATE TABLE names (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  name TEXT NOT NULL,
  pid INTEGER NOT NULL,
  tags TEXT NOT NULL,
  metadata TEXT NOT NULL,
  registered_at INTEGER NOT NULL,
  PRIMARY KEY (ws, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX names_by_pid ON names (ws, pid, name);
CREATE TABLE name_tags (
  ws INTEGER NOT NULL,
  tag TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (ws, tag, name),
  FOREIGN KEY (ws, name) REFERENCES names (ws, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX name_tags_by_name ON name_tags (ws, name);
`;

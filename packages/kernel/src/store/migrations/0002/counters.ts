/** A slice is needed until `kept_until`. REAL, which is exact for whole numbers up to 2⁵³ and has room for parts of a second or a cent. */
export const COUNTERS = `
CREATE TABLE counters (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  key TEXT NOT NULL,
  slice_at INTEGER NOT NULL,
  amount REAL NOT NULL,
  kept_until INTEGER NOT NULL,
  PRIMARY KEY (ws, key, slice_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX counters_by_kept_until ON counters (ws, kept_until, key, slice_at);
`;

/** An agent outlives its processes: what each of them is given stands here. */
export const AGENTS = `
CREATE TABLE agents (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  name TEXT NOT NULL,
  purpose TEXT NOT NULL,
  grants TEXT NOT NULL,
  budgets TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state = 'active' OR state = 'revoked'),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (ws, name)
) STRICT, WITHOUT ROWID;
`;

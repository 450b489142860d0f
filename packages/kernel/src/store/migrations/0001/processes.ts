/** Of more than two values, `OR` stands for `IN`: SQLite would fill a table with the values of an `IN` for each row it writes. */
export const PROCESSES = `
CREATE TABLE processes (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  pid INTEGER NOT NULL,
  parent_pid INTEGER,
  name TEXT NOT NULL,
  template TEXT NOT NULL,
  agent TEXT,
  state TEXT NOT NULL CHECK (state = 'READY' OR state = 'RUNNING' OR state = 'WAITING' OR state = 'SUSPENDED' OR state = 'DEAD'),
  state_reason TEXT,
  on_parent_end TEXT NOT NULL CHECK (on_parent_end = 'end' OR on_parent_end = 'orphan' OR on_parent_end = 'detach'),
  pending_signal TEXT CHECK (pending_signal IN ('interrupt', 'terminate')),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  exit_kind TEXT CHECK (exit_kind = 'completed' OR exit_kind = 'cancelled' OR exit_kind = 'failed' OR exit_kind = 'crashed'),
  exit_detail TEXT,
  metadata TEXT NOT NULL,
  PRIMARY KEY (ws, pid)
) STRICT, WITHOUT ROWID;
CREATE INDEX processes_by_state ON processes (ws, state, pid);
CREATE INDEX processes_by_parent ON processes (ws, parent_pid, pid) WHERE parent_pid IS NOT NULL;
CREATE INDEX processes_by_agent ON processes (ws, agent, pid) WHERE agent IS NOT NULL;
`;

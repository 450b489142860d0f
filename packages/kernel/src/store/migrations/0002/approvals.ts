/** `due_at` is when something has to happen to a pending one: it is escalated, or it expires. */
export const APPROVALS = `
CREATE TABLE approvals (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state = 'pending' OR state = 'approved' OR state = 'rejected' OR state = 'expired' OR state = 'cancelled'),
  call_id TEXT NOT NULL,
  pid INTEGER NOT NULL,
  agent TEXT NOT NULL,
  capability TEXT NOT NULL,
  call_hash TEXT NOT NULL,
  input TEXT NOT NULL,
  rule TEXT,
  reasoning TEXT,
  terms TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  escalate_at INTEGER,
  escalated_at INTEGER,
  decided_at INTEGER,
  reason TEXT,
  edited_input TEXT,
  votes TEXT NOT NULL,
  due_at INTEGER GENERATED ALWAYS AS (min(expires_at, coalesce(escalate_at, expires_at))) VIRTUAL,
  PRIMARY KEY (ws, id),
  CHECK ((state = 'pending') = (decided_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_by_created_at ON approvals (ws, created_at, id);
CREATE INDEX approvals_by_state ON approvals (ws, state, created_at, id);
CREATE INDEX approvals_by_agent ON approvals (ws, agent, created_at, id);
CREATE INDEX approvals_by_pid ON approvals (ws, pid, created_at, id);
CREATE INDEX approvals_by_due_at ON approvals (ws, due_at, id) WHERE state = 'pending';
CREATE INDEX approvals_by_decided_at ON approvals (ws, decided_at, id) WHERE decided_at IS NOT NULL;
CREATE TABLE allow_rules (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  id TEXT NOT NULL,
  agent TEXT NOT NULL,
  capability TEXT NOT NULL,
  condition TEXT,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  approval_id TEXT,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER,
  revoked_by TEXT,
  ended_at INTEGER GENERATED ALWAYS AS (min(expires_at, coalesce(revoked_at, expires_at))) VIRTUAL,
  PRIMARY KEY (ws, id),
  CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX allow_rules_by_created_at ON allow_rules (ws, created_at, id);
CREATE INDEX allow_rules_by_ended_at ON allow_rules (ws, ended_at, id);
CREATE INDEX allow_rules_by_agent ON allow_rules (ws, agent, ended_at);
`;

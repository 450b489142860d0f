/**
 * A run has one entry of the queue while it is to go on (`entry`), or none while it waits for something that has no time. Its row is small, because each step
 * writes it anew: what it was asked and what came of it stand in its first and last step. A process has at most one run that has not ended.
 *
 * Steps are kept in the order in which they come, and found by an index: hundreds of runs at once write to one end of a table and to few pages of the index. Kept by run,
 * each step would be a page of its own in the log (measured: half as many steps a second).
 */
export const RUNS = `
CREATE TABLE runs (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  id INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  agent TEXT,
  parent INTEGER,
  session TEXT,
  title TEXT NOT NULL,
  priority INTEGER NOT NULL,
  entry INTEGER,
  waits_for TEXT,
  outcome TEXT CHECK (outcome = 'completed' OR outcome = 'stopped' OR outcome = 'max_turns' OR outcome = 'timeout' OR outcome = 'budget'
    OR outcome = 'model_error' OR outcome = 'blocked' OR outcome = 'looping' OR outcome = 'failed'),
  steps INTEGER NOT NULL CHECK (steps >= 0),
  bytes INTEGER NOT NULL CHECK (bytes >= 0),
  tokens INTEGER NOT NULL CHECK (tokens >= 0),
  cost_micro INTEGER NOT NULL CHECK (cost_micro >= 0),
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  PRIMARY KEY (ws, id),
  CHECK ((outcome IS NULL) = (ended_at IS NULL)),
  CHECK (ended_at IS NULL OR (entry IS NULL AND waits_for IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX runs_of_processes ON runs (ws, pid) WHERE ended_at IS NULL;
CREATE INDEX runs_live ON runs (ws, id) WHERE ended_at IS NULL;
CREATE INDEX runs_by_agent ON runs (ws, agent, id) WHERE agent IS NOT NULL;
CREATE INDEX runs_by_parent ON runs (ws, parent, id) WHERE parent IS NOT NULL;
CREATE INDEX runs_by_session ON runs (ws, session, id) WHERE session IS NOT NULL;
CREATE INDEX runs_by_ended_at ON runs (ws, ended_at, id) WHERE ended_at IS NOT NULL;
CREATE TABLE run_steps (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  run INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind = 'task' OR kind = 'model' OR kind = 'call' OR kind = 'message' OR kind = 'note' OR kind = 'summary' OR kind = 'end'),
  at INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (ws, run, seq)
) STRICT;
`;

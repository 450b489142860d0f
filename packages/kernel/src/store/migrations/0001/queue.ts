/**
 * `queue` holds the entries. `lanes` has one row for each process with entries that wait or run: how many, and its best entry that may run now,
 * if any. A claim looks only there, so what cannot run (not due, its process suspended or busy, over budget) costs it nothing, however much
 * there is of it. `queue_totals` counts the entries of each state.
 *
 * Where there are more than two values, `OR` stands for `IN`: SQLite would fill a table with the values of an `IN` for each row it writes.
 */
export const QUEUE = `
CREATE TABLE queue (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  id INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state = 'queued' OR state = 'dispatched' OR state = 'completed' OR state = 'expired' OR state = 'cancelled' OR state = 'dead'),
  is_due INTEGER NOT NULL CHECK (is_due IN (0, 1)),
  priority INTEGER NOT NULL,
  runnable_at INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  deadline INTEGER,
  trigger TEXT NOT NULL,
  payload TEXT NOT NULL,
  worker TEXT,
  starts_process INTEGER NOT NULL CHECK (starts_process IN (0, 1)),
  created_at INTEGER NOT NULL,
  dispatched_at INTEGER,
  completed_at INTEGER,
  exit_kind TEXT CHECK (exit_kind = 'completed' OR exit_kind = 'cancelled' OR exit_kind = 'failed' OR exit_kind = 'crashed'),
  fence INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  attempts_max INTEGER NOT NULL,
  backoff_ms INTEGER NOT NULL,
  lease_until INTEGER,
  lease_ms INTEGER,
  error TEXT,
  cron_pattern TEXT,
  cron_zone TEXT,
  cron_window_ms INTEGER,
  dedupe_key TEXT,
  PRIMARY KEY (ws, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_by_pid ON queue (ws, pid, id);
CREATE INDEX queue_queued ON queue (ws, id) WHERE state = 'queued';
CREATE INDEX queue_stopped ON queue (ws, state, id) WHERE state = 'expired' OR state = 'cancelled' OR state = 'dead';
CREATE INDEX queue_by_rank ON queue (ws, pid, rank, id) WHERE state = 'queued' AND is_due = 1;
CREATE INDEX queue_by_runnable_at ON queue (ws, runnable_at) WHERE state = 'queued' AND is_due = 0;
CREATE INDEX queue_by_deadline ON queue (ws, deadline) WHERE state = 'queued' AND deadline IS NOT NULL;
CREATE INDEX queue_by_lease ON queue (ws, lease_until) WHERE state = 'dispatched';
CREATE INDEX queue_by_completed_at ON queue (ws, completed_at) WHERE completed_at IS NOT NULL;
CREATE UNIQUE INDEX queue_by_dedupe_key ON queue (ws, pid, dedupe_key) WHERE dedupe_key IS NOT NULL AND state IN ('queued', 'dispatched');
CREATE TABLE lanes (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  pid INTEGER NOT NULL,
  queued INTEGER NOT NULL CHECK (queued >= 0),
  dispatched INTEGER NOT NULL CHECK (dispatched >= 0),
  is_taken INTEGER NOT NULL CHECK (is_taken IN (0, 1)),
  is_admitted INTEGER NOT NULL CHECK (is_admitted IN (0, 1)),
  access INTEGER NOT NULL CHECK (access = 0 OR access = 1 OR access = 2),
  entry INTEGER,
  rank INTEGER,
  PRIMARY KEY (ws, pid)
) STRICT, WITHOUT ROWID;
CREATE INDEX lanes_by_rank ON lanes (ws, access, is_admitted, rank, entry) WHERE entry IS NOT NULL;
CREATE INDEX lanes_not_admitted ON lanes (ws, pid) WHERE is_admitted = 0;
CREATE TABLE queue_totals (
  ws INTEGER PRIMARY KEY REFERENCES workspaces (ws) ON DELETE CASCADE,
  queued INTEGER NOT NULL DEFAULT 0 CHECK (queued >= 0),
  dispatched INTEGER NOT NULL DEFAULT 0 CHECK (dispatched >= 0),
  completed INTEGER NOT NULL DEFAULT 0 CHECK (completed >= 0),
  expired INTEGER NOT NULL DEFAULT 0 CHECK (expired >= 0),
  cancelled INTEGER NOT NULL DEFAULT 0 CHECK (cancelled >= 0),
  dead INTEGER NOT NULL DEFAULT 0 CHECK (dead >= 0),
  readmitted_through INTEGER
) STRICT;
`;

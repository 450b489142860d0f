/**
 * `state` has the newest version of each key, `state_versions` those before it. Of a deleted key a row without a value stays, which remembers its
 * version: a version means one value for ever. Of each scope the newest of them are kept; of all that are forgotten `floor` is the largest version,
 * above which keys that nobody remembers begin. `bytes` is the sum of all sizes of a scope, `keys` the number of values, `deleted` of rows without one.
 * A scope with `ended_at` is on its way out. Values are last in their rows, since they may be large and are not needed to walk.
 */
export const STATE = `
CREATE TABLE state (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  version INTEGER NOT NULL CHECK (version >= 1),
  size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  expires_at INTEGER,
  deleted_at INTEGER,
  writer TEXT NOT NULL,
  owner TEXT NOT NULL,
  readers TEXT,
  writers TEXT,
  value TEXT,
  PRIMARY KEY (ws, scope, key),
  CHECK ((value IS NULL) = (deleted_at IS NOT NULL)),
  CHECK (deleted_at IS NULL OR (expires_at IS NULL AND size_bytes = 0))
) STRICT, WITHOUT ROWID;
CREATE INDEX state_by_expires_at ON state (ws, expires_at, scope, key) WHERE expires_at IS NOT NULL;
CREATE INDEX state_by_deleted_at ON state (ws, scope, deleted_at, key) WHERE deleted_at IS NOT NULL;
CREATE TABLE state_versions (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
  at INTEGER NOT NULL,
  writer TEXT NOT NULL,
  value TEXT,
  PRIMARY KEY (ws, scope, key, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE state_scopes (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  scope TEXT NOT NULL,
  bytes INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0),
  keys INTEGER NOT NULL DEFAULT 0 CHECK (keys >= 0),
  deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted >= 0),
  floor INTEGER NOT NULL DEFAULT 0,
  ended_at INTEGER,
  PRIMARY KEY (ws, scope)
) STRICT, WITHOUT ROWID;
CREATE INDEX state_scopes_ended ON state_scopes (ws, ended_at, scope) WHERE ended_at IS NOT NULL;
`;

/**
 * `files` has the newest version of what exists, `file_versions` what came before it, deletions included. Contents stand apart and are
 * counted: a small one in the row of its body, a large one in chunks. Each is there once in a workspace, except that those smaller than a page
 * are not found by their hash: an index of hashes costs a page with every write. `refs` 0 is a large body that is being written, or that
 * nothing names any more. `file_usage` is the sum of the sizes of all bodies that are named.
 */
export const FILES = `
CREATE TABLE files (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  path TEXT NOT NULL,
  owner INTEGER NOT NULL,
  writer INTEGER NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('rw', 'ro')),
  version INTEGER NOT NULL,
  body INTEGER NOT NULL,
  metadata TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  written_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  accessed_at INTEGER,
  PRIMARY KEY (ws, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX files_by_owner ON files (ws, owner, path);
CREATE TABLE file_versions (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  path TEXT NOT NULL,
  version INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  writer INTEGER,
  body INTEGER,
  metadata TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  written_at INTEGER NOT NULL,
  superseded_at INTEGER NOT NULL,
  PRIMARY KEY (ws, path, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX file_versions_by_age ON file_versions (ws, superseded_at);
CREATE TABLE bodies (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  body INTEGER NOT NULL,
  refs INTEGER NOT NULL CHECK (refs >= 0),
  size INTEGER NOT NULL,
  hash BLOB,
  data BLOB,
  PRIMARY KEY (ws, body)
) STRICT;
CREATE UNIQUE INDEX bodies_by_hash ON bodies (ws, hash) WHERE hash IS NOT NULL AND size >= 4096;
CREATE INDEX bodies_without_refs ON bodies (ws, body) WHERE refs = 0;
CREATE TABLE chunks (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  body INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (ws, body, seq)
) STRICT;
CREATE TABLE file_usage (
  ws INTEGER PRIMARY KEY REFERENCES workspaces (ws) ON DELETE CASCADE,
  bytes INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT;
`;

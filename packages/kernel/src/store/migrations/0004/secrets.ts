/**
 * Secrets, each version sealed under a data key of its workspace, which is itself wrapped by a root key that the store has never seen. Nothing here can be read without it;
 * whoever deletes the data keys of a workspace has deleted its secrets from every copy.
 */
export const SECRETS = `
CREATE TABLE data_keys (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  root INTEGER NOT NULL,
  wrapped BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (ws, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE secrets (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  purpose TEXT NOT NULL,
  bindings TEXT NOT NULL,
  version INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  revoked_at INTEGER,
  PRIMARY KEY (ws, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE secret_versions (
  ws INTEGER NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  data_key INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (ws, name, version),
  FOREIGN KEY (ws, name) REFERENCES secrets (ws, name) ON DELETE CASCADE,
  FOREIGN KEY (ws, data_key) REFERENCES data_keys (ws, number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX secret_versions_by_key ON secret_versions (ws, data_key);
`;

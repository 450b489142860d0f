/**
 * People sign in with a passphrase, of which its Argon2id hash is kept, or through a provider that vouches for them. Without a workspace they
 * are operators.
 */
export const PEOPLE = `
CREATE TABLE people (
  name TEXT NOT NULL PRIMARY KEY,
  ws INTEGER REFERENCES workspaces (ws) ON DELETE CASCADE,
  role TEXT CHECK (role = 'viewer' OR role = 'approver' OR role = 'admin'),
  groups TEXT NOT NULL,
  passphrase TEXT,
  issuer TEXT,
  subject TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  disabled_at INTEGER,
  CHECK ((ws IS NULL) = (role IS NULL)),
  CHECK ((issuer IS NULL) = (subject IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX people_by_subject ON people (issuer, subject) WHERE issuer IS NOT NULL;
CREATE INDEX people_by_workspace ON people (ws, name) WHERE ws IS NOT NULL;
`;

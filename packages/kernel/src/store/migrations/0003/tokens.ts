/**
 * A token may be of an agent, whatever its process is, of a person who signed in, or of a member with a role, where none means an admin. And it says
 * whose it is, so that one person is one person however many tokens there are, and with which other token it was made. Until now people were
 * known by the label, and without one by the id.
 */
export const TOKEN_HOLDERS = `
ALTER TABLE tokens ADD COLUMN agent TEXT;
ALTER TABLE tokens ADD COLUMN person TEXT REFERENCES people (name) ON DELETE CASCADE;
ALTER TABLE tokens ADD COLUMN role TEXT CHECK (role IS NULL OR role = 'viewer' OR role = 'approver' OR role = 'admin');
ALTER TABLE tokens ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN made_by TEXT;
UPDATE tokens SET owner = CASE label WHEN '' THEN id ELSE label END;
CREATE INDEX tokens_by_agent ON tokens (ws, agent) WHERE agent IS NOT NULL;
CREATE INDEX tokens_by_person ON tokens (person) WHERE person IS NOT NULL;
CREATE INDEX tokens_by_label ON tokens (ws, label, id);
`;

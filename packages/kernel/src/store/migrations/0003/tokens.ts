/**
 * Whose a token is, so that one person is one person however many tokens there are, and with which other token it was made. Until now people were
 * known by the label, and without one by the id.
 */
export const TOKEN_OWNERS = `
ALTER TABLE tokens ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN made_by TEXT;
UPDATE tokens SET owner = CASE label WHEN '' THEN id ELSE label END;
CREATE INDEX tokens_by_label ON tokens (ws, label, id);
`;

/** Groups of whoever holds a token: they say who may decide about what. A list of words, as JSON. */
export const TOKEN_GROUPS = `
ALTER TABLE tokens ADD COLUMN groups TEXT NOT NULL DEFAULT '[]';
`;

/** Labels of untrusted content that a message and a value carry: a list of words, null where there are none. Last in their rows, behind what may be large: only who reads that reads them. */
export const LABELS = `
ALTER TABLE messages ADD COLUMN labels TEXT;
ALTER TABLE state ADD COLUMN labels TEXT;
ALTER TABLE state_versions ADD COLUMN labels TEXT;
`;

/** Entries of runs are claimed by whoever works these off, and by nobody else: of each lane it is kept whether its best entry is one. */
export const LANES = `
ALTER TABLE lanes ADD COLUMN is_run INTEGER NOT NULL DEFAULT 0 CHECK (is_run = 0 OR is_run = 1);
DROP INDEX lanes_by_rank;
CREATE INDEX lanes_by_kind ON lanes (ws, is_run, access, is_admitted, rank, entry) WHERE entry IS NOT NULL;
`;

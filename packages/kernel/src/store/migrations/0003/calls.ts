/** How a call ended has a place of its own: every call has an end, and what was decided need not be written a second time to say it. */
export const ENDINGS = `
ALTER TABLE calls ADD COLUMN ending TEXT;
UPDATE calls SET ending = json_extract(record, '$.ending'), record = json_remove(record, '$.ending')
  WHERE json_type(record, '$.ending') IS NOT NULL;
`;

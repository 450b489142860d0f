/**
 * Which events are of which process, a block of 512 at a time. An index would be touched in as many places as processes are at work, by each commit;
 * sorted by process, the events of a block touch each of those places once. What comes after the last whole block is looked for in the log itself.
 */
export const PROCESS_EVENTS = `
CREATE TABLE process_events (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  pid INTEGER NOT NULL,
  id INTEGER NOT NULL,
  PRIMARY KEY (ws, pid, id)
) STRICT, WITHOUT ROWID;
INSERT INTO process_events (ws, pid, id)
  SELECT events.ws, pid, id
  FROM (SELECT ws, max(id) / 512 * 512 AS through FROM events GROUP BY ws) AS blocks
  CROSS JOIN events INDEXED BY events_by_pid ON events.ws = blocks.ws
  WHERE pid IS NOT NULL AND id <= through
  ORDER BY events.ws, pid, id;
DROP INDEX events_by_pid;
`;

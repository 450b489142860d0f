/**
 * What the mail table says to SQLite. The plus before some parameters matters: SQLite looks at the value of `LIMIT ?`, and of `column = ?` where
 * an index is for some values of the column, and therefore prepares the statement anew each time the value is bound.
 */
import type { Database } from './database.ts';

const BOX = `pid, capacity, sender_capacity, retention_ms, deliveries_max, senders, pending, delivered, bytes, waiting_from, due_at,
  created_at`;
const MESSAGE = `m.id, m.sender, m.recipient, b.topic, coalesce(m.kind, b.kind) AS kind, coalesce(m.payload, b.payload) AS payload, m.priority,
  m.posted_at, m.delivered_at, m.deliveries, m.expires_at, m.correlation_id, m.labels`;
const NEW =
  'ws, recipient, id, sender, kind, payload, body, bytes, priority, posted_at, deliveries, visible_at, expires_at, correlation_id, labels';
const REQUEST = 'pid, correlation_id, recipient, message_id, until';
/** Messages named by a list of ids. */
const THESE = 'ws = ? AND recipient = ? AND id IN (SELECT value FROM json_each(?))';
/** One message. It is found sooner than by a list. */
const THIS = 'ws = ? AND recipient = ? AND id = ?';
/** What the counts of a box depend on. */
const LEAVING = 'id, body, bytes, delivered_at IS NULL AS is_pending, visible_at IS NULL AS is_dead';
/** Boxes that take a message of so many bytes from anybody, without looking further; `?6`: from somebody whose messages are not counted. */
const OPEN = `senders = 'anyone' AND pending < capacity AND (pending < sender_capacity OR ?6) AND delivered < capacity * ?3
  AND bytes + ?4 <= ?5`;

export type MailStatements = ReturnType<typeof prepareMail>;

export function prepareMail(database: Database) {
  return { ...prepareBoxes(database), ...prepareSubscriptions(database), ...prepareMessages(database), ...prepareKeys(database) };
}

function prepareBoxes(database: Database) {
  return {
    findBox: database.query(`SELECT ${BOX} FROM boxes WHERE ws = ? AND pid = ?`),
    isOpen: database.query(`SELECT 1 FROM boxes WHERE ws = ?1 AND pid = ?2 AND ${OPEN}`),
    totals: database.query('SELECT count(*) AS boxes, total(pending) AS pending FROM boxes WHERE ws = ?'),
    insertBox: database.change(
      `INSERT INTO boxes (ws, pid, capacity, sender_capacity, retention_ms, deliveries_max, senders, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    deleteBox: database.change('DELETE FROM boxes WHERE ws = ? AND pid = ?'),
    countArrival: database.change('UPDATE boxes SET pending = pending + 1, bytes = bytes + ?, newest_id = ? WHERE ws = ? AND pid = ?'),
    countArrivals: database.change(
      `UPDATE OR FAIL boxes SET pending = pending + 1, bytes = bytes + ?, newest_id = ?
       WHERE ws = ? AND pid IN (SELECT value FROM json_each(?))`,
    ),
    countDelivery: database.change(
      'UPDATE boxes SET pending = pending - ?1, delivered = delivered + ?1, waiting_from = ?2 WHERE ws = ?3 AND pid = ?4',
    ),
    countLeaving: database.change(
      'UPDATE boxes SET pending = pending - ?, delivered = delivered - ?, bytes = bytes - ? WHERE ws = ? AND pid = ?',
    ),
    nextDueAt: database.query('SELECT min(due_at) AS at FROM boxes WHERE ws = ? AND due_at IS NOT NULL'),
    dueBoxes: database.query(`SELECT ${BOX} FROM boxes WHERE ws = ? AND due_at <= ? ORDER BY due_at, pid LIMIT +?`),
    lowerDue: database.change(
      `UPDATE boxes SET due_at = ?1 WHERE ws = ?2 AND pid IN (SELECT value FROM json_each(?3)) AND (due_at IS NULL OR due_at > ?1)`,
    ),
    refreshDue: database.change(
      `UPDATE boxes SET due_at = (SELECT min(at) FROM (
         SELECT min(expires_at) AS at FROM messages WHERE ws = ?1 AND recipient = ?2 AND expires_at IS NOT NULL
         UNION ALL SELECT min(max(delivered_at + ?3, ifnull(visible_at, 0))) FROM messages WHERE ws = ?1 AND recipient = ?2
         UNION ALL SELECT min(until) FROM message_keys WHERE ws = ?1 AND recipient = ?2
         UNION ALL SELECT min(until) FROM message_requests WHERE ws = ?1 AND pid = ?2))
       WHERE ws = ?1 AND pid = ?2`,
    ),
  };
}

function prepareSubscriptions(database: Database) {
  return {
    topicsOf: database.query('SELECT topic FROM subscriptions WHERE ws = ? AND pid = ? ORDER BY topic'),
    hasPatterns: database.query('SELECT 1 FROM subscriptions WHERE ws = ? AND is_pattern = 1 LIMIT 1'),
    subscribers: database.query(
      `SELECT count(*) AS count, json_group_array(pid) FILTER (WHERE is_open) AS open, json_group_array(pid) FILTER (WHERE NOT is_open) AS others
       FROM (SELECT pid, (${OPEN}) AS is_open FROM boxes WHERE ws = ?1 AND pid IN
         (SELECT pid FROM subscriptions WHERE ws = ?1 AND topic IN (SELECT value FROM json_each(?2))) ORDER BY pid LIMIT +?7)`,
    ),
    subscribe: database.change('INSERT INTO subscriptions (ws, pid, topic, is_pattern) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING'),
    unsubscribe: database.change('DELETE FROM subscriptions WHERE ws = ? AND pid = ? AND topic = ?'),
  };
}

function prepareMessages(database: Database) {
  const some = (conditions: string, index = '') =>
    database.query(
      `SELECT ${MESSAGE} FROM ${withBody(index)} WHERE m.ws = ?1 AND m.recipient = ?2 AND (m.expires_at IS NULL OR m.expires_at > ?3) AND ${conditions}
       ORDER BY m.id LIMIT +?4`,
    );
  const ids = (conditions: string, order: string) =>
    database.query(`SELECT id FROM messages WHERE ws = ? AND recipient = ? AND ${conditions} ORDER BY ${order} LIMIT +?`);
  const each = (make: (these: string) => string) => ({ one: database.change(make(THIS)), many: database.change(make(THESE)) });
  return {
    special: database.query(
      `SELECT EXISTS (SELECT 1 FROM messages WHERE ws = ?1 AND recipient = ?2 AND visible_at = 0 AND priority <> 0)
         OR EXISTS (SELECT 1 FROM messages WHERE ws = ?1 AND recipient = ?2 AND visible_at > 0 AND visible_at <= ?3) AS is_there`,
    ),
    waiting: some('m.id >= ?5 AND m.visible_at = 0 AND m.priority = 0'),
    visible: database.query(visibleSql('messages AS m', 'TRUE')),
    visibleOfTopic: database.query(visibleSql(withBody(), 'b.topic = ?6')),
    after: some('m.id > ?5 AND m.visible_at IS NOT NULL'),
    dead: some('m.id > ?5 AND m.visible_at IS NULL', 'INDEXED BY messages_dead'),
    answers: some(
      'm.id > ?5 AND m.correlation_id = ?6 AND m.sender = ?7 AND m.visible_at IS NOT NULL',
      'INDEXED BY messages_by_correlation',
    ),
    shown: database.query(
      `SELECT id FROM messages INDEXED BY messages_shown
       WHERE ws = ? AND recipient = ? AND visible_at = 0 AND delivered_at IS NOT NULL ORDER BY id LIMIT +?`,
    ),
    expired: ids('expires_at <= ?', 'expires_at, id'),
    outkept: ids('delivered_at <= ? AND ifnull(visible_at, 0) <= ?', 'id'),
    all: ids('id > ?', 'id'),
    oldDead: database.query(
      `SELECT id FROM messages INDEXED BY messages_dead WHERE ws = ? AND recipient = ? AND visible_at IS NULL
       ORDER BY id DESC LIMIT -1 OFFSET +?`,
    ),
    nextVisibleAt: database.query(
      'SELECT min(visible_at) AS at FROM messages WHERE ws = ? AND recipient = ? AND visible_at > 0 AND visible_at > ?',
    ),
    countFrom: database.query(
      `SELECT (SELECT count(*) FROM
           (SELECT 1 FROM messages INDEXED BY messages_by_sender
            WHERE ws = ?1 AND recipient = ?2 AND sender = ?3 AND is_counted = 1 AND delivered_at IS NULL LIMIT +?4)) AS counted,
         (SELECT count(*) FROM
           (SELECT 1 FROM messages WHERE ws = ?1 AND recipient = ?2 AND sender = ?3 AND delivered_at IS NULL
            AND id >= (SELECT CASE
                WHEN EXISTS (SELECT 1 FROM messages WHERE ws = ?1 AND recipient = ?2 AND visible_at = 0 AND priority <> 0) THEN counted_through + 1
                ELSE max(waiting_from, counted_through + 1) END
              FROM boxes WHERE ws = ?1 AND pid = ?2) LIMIT +?4)) AS others`,
    ),
    countSenders: database.change(
      `UPDATE messages SET is_counted = 1 WHERE ws = ?1 AND recipient = ?2 AND delivered_at IS NULL
       AND id > (SELECT counted_through FROM boxes WHERE ws = ?1 AND pid = ?2)`,
    ),
    countedSenders: database.change('UPDATE boxes SET counted_through = newest_id WHERE ws = ? AND pid = ?'),
    insert: database.change(`INSERT INTO messages (${NEW}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)`),
    insertCopies: database.change(
      `INSERT OR FAIL INTO messages (${NEW}) SELECT ?, value, key + ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ? FROM json_each(?)`,
    ),
    deliver: each((these) => `UPDATE messages SET delivered_at = ?, deliveries = deliveries + 1, visible_at = ? WHERE ${these}`),
    deliverShown: each((these) => `UPDATE messages SET delivered_at = ?, deliveries = deliveries + 1 WHERE ${these}`),
    stillHidden: database.query(`SELECT id FROM messages WHERE ${THESE} AND visible_at = +? ORDER BY id`),
    giveBack: database.change(`UPDATE messages SET deliveries = deliveries - 1, visible_at = ? WHERE ${THESE}`),
    bury: database.change(
      `UPDATE messages SET visible_at = NULL WHERE ${THESE} RETURNING id, body, bytes, delivered_at IS NULL AS is_pending, 0 AS is_dead`,
    ),
    remove: each((these) => `DELETE FROM messages WHERE ${these} RETURNING ${LEAVING}`),
    insertBody: database.change('INSERT INTO message_bodies (ws, id, uses, topic, kind, payload) VALUES (?, ?, ?, ?, ?, ?)'),
    leaveBody: database.change('UPDATE message_bodies SET uses = uses - ? WHERE ws = ? AND id = ?'),
    deleteBody: database.change('DELETE FROM message_bodies WHERE ws = ? AND id = ? AND uses = 0'),
  };
}

function withBody(index = ''): string {
  return `messages AS m ${index} LEFT JOIN message_bodies AS b ON b.ws = m.ws AND b.id = m.body`;
}

/** What waits without a priority, what waits with one, and what was hidden: each has its own way to be found in order. */
function visibleSql(from: string, condition: string): string {
  const some = (conditions: string, order: string) =>
    `SELECT * FROM (SELECT m.* FROM ${from} WHERE m.ws = ?1 AND m.recipient = ?2 AND ${conditions}
       AND (m.expires_at IS NULL OR m.expires_at > ?3) AND ${condition} ORDER BY ${order} LIMIT +?4)`;
  return `SELECT ${MESSAGE} FROM (
      ${some('m.id >= ?5 AND m.visible_at = 0 AND m.priority = 0', 'm.id')}
      UNION ALL ${some('m.visible_at = 0 AND m.priority <> 0', 'm.priority DESC, m.id')}
      UNION ALL ${some('m.visible_at > 0 AND m.visible_at <= ?3', 'm.priority DESC, m.id')}
    ) AS m LEFT JOIN message_bodies AS b ON b.ws = m.ws AND b.id = m.body ORDER BY m.priority DESC, m.id LIMIT +?4`;
}

function prepareKeys(database: Database) {
  return {
    findKey: database.query('SELECT message_id FROM message_keys WHERE ws = ? AND recipient = ? AND sender = ? AND key = ? AND until > ?'),
    insertKey: database.change('INSERT INTO message_keys (ws, recipient, sender, key, message_id, until) VALUES (?, ?, ?, ?, ?, ?)'),
    deleteKey: database.change('DELETE FROM message_keys WHERE ws = ? AND recipient = ? AND sender = ? AND key = ?'),
    forgetKeys: database.change('DELETE FROM message_keys WHERE ws = ? AND recipient = ? AND until <= ?'),
    oldestKeys: database.query('SELECT sender, key FROM message_keys WHERE ws = ? AND recipient = ? ORDER BY until, message_id LIMIT +?'),
    countKeys: database.change('UPDATE boxes SET keys = keys + ? WHERE ws = ? AND pid = ?'),
    keysOf: database.query('SELECT keys FROM boxes WHERE ws = ? AND pid = ?'),
    findRequest: database.query(`SELECT ${REQUEST} FROM message_requests WHERE ws = ? AND pid = ? AND correlation_id = ? AND until > ?`),
    countRequests: database.query('SELECT count(*) AS count FROM (SELECT 1 FROM message_requests WHERE ws = ? AND pid = ? LIMIT +?)'),
    insertRequest: database.change(`INSERT INTO message_requests (ws, ${REQUEST}) VALUES (?, ?, ?, ?, ?, ?)`),
    deleteRequest: database.change(
      'DELETE FROM message_requests WHERE ws = ?1 AND pid = ?2 AND correlation_id = ?3 AND message_id = ifnull(?4, message_id)',
    ),
    forgetRequests: database.change('DELETE FROM message_requests WHERE ws = ? AND pid = ? AND until <= ?'),
  };
}

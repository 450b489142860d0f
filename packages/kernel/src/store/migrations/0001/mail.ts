/**
 * A box has its counts in its row, so that sending into it costs the same whatever waits there. `newest_id` is the newest message it ever got
 * (message ids go on from the largest), nothing of priority 0 waits before `waiting_from`, and nothing is due for deletion before `due_at`.
 *
 * `visible_at` says where a message is: 0, it waits; a time, it is hidden until then (it was handed out, or is kept for who asked for it);
 * null, it is a dead letter. What all copies of a publication share, and what is large, is kept once, with the number of messages that use it.
 *
 * Many copies are inserted at once, so little is kept in order: only what has a priority, and the senders of what waits in crowded boxes
 * (`is_counted`, for ids up to `counted_through`). For the same reason there is a trigger in place of a foreign key: with one, SQLite keeps a
 * journal of each statement.
 */
export const MAIL = `
CREATE TABLE boxes (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  pid INTEGER NOT NULL,
  capacity INTEGER NOT NULL,
  sender_capacity INTEGER NOT NULL,
  retention_ms INTEGER NOT NULL,
  deliveries_max INTEGER NOT NULL,
  senders TEXT NOT NULL,
  pending INTEGER NOT NULL DEFAULT 0 CHECK (pending >= 0),
  delivered INTEGER NOT NULL DEFAULT 0 CHECK (delivered >= 0),
  bytes INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0),
  keys INTEGER NOT NULL DEFAULT 0 CHECK (keys >= 0),
  newest_id INTEGER NOT NULL DEFAULT 0,
  waiting_from INTEGER NOT NULL DEFAULT 0,
  counted_through INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (ws, pid)
) STRICT, WITHOUT ROWID;
CREATE INDEX boxes_by_due_at ON boxes (ws, due_at) WHERE due_at IS NOT NULL;
CREATE TABLE subscriptions (
  ws INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  topic TEXT NOT NULL,
  is_pattern INTEGER NOT NULL CHECK (is_pattern IN (0, 1)),
  PRIMARY KEY (ws, pid, topic),
  FOREIGN KEY (ws, pid) REFERENCES boxes (ws, pid) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX subscriptions_by_topic ON subscriptions (ws, topic, pid);
CREATE INDEX subscriptions_to_patterns ON subscriptions (ws) WHERE is_pattern = 1;
CREATE TABLE messages (
  ws INTEGER NOT NULL,
  recipient INTEGER NOT NULL,
  id INTEGER NOT NULL,
  sender INTEGER,
  kind TEXT,
  payload TEXT,
  body INTEGER,
  bytes INTEGER NOT NULL,
  is_counted INTEGER NOT NULL DEFAULT 0 CHECK (is_counted IN (0, 1)),
  priority INTEGER NOT NULL,
  posted_at INTEGER NOT NULL,
  delivered_at INTEGER,
  deliveries INTEGER NOT NULL,
  visible_at INTEGER,
  expires_at INTEGER,
  correlation_id TEXT,
  PRIMARY KEY (ws, recipient, id),
  CHECK ((payload IS NULL) <> (body IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX messages_ranked ON messages (ws, recipient, priority DESC, id) WHERE visible_at = 0 AND priority <> 0;
CREATE INDEX messages_hidden ON messages (ws, recipient, visible_at) WHERE visible_at > 0;
CREATE INDEX messages_shown ON messages (ws, recipient, id) WHERE visible_at = 0 AND delivered_at IS NOT NULL;
CREATE INDEX messages_dead ON messages (ws, recipient, id) WHERE visible_at IS NULL;
CREATE INDEX messages_by_sender ON messages (ws, recipient, sender, is_counted, delivered_at) WHERE is_counted = 1 AND delivered_at IS NULL;
CREATE INDEX messages_by_expires_at ON messages (ws, recipient, expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX messages_by_correlation ON messages (ws, recipient, correlation_id, id) WHERE correlation_id IS NOT NULL;
CREATE TRIGGER boxes_with_their_messages AFTER DELETE ON boxes BEGIN
  DELETE FROM messages WHERE ws = OLD.ws AND recipient = OLD.pid;
END;
CREATE TABLE message_bodies (
  ws INTEGER NOT NULL REFERENCES workspaces (ws) ON DELETE CASCADE,
  id INTEGER NOT NULL,
  uses INTEGER NOT NULL CHECK (uses >= 0),
  topic TEXT,
  kind TEXT NOT NULL,
  payload TEXT NOT NULL,
  PRIMARY KEY (ws, id)
) STRICT;
CREATE TABLE message_keys (
  ws INTEGER NOT NULL,
  recipient INTEGER NOT NULL,
  sender INTEGER NOT NULL,
  key TEXT NOT NULL,
  message_id INTEGER NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (ws, recipient, sender, key),
  FOREIGN KEY (ws, recipient) REFERENCES boxes (ws, pid) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX message_keys_by_until ON message_keys (ws, recipient, until, message_id);
CREATE TABLE message_requests (
  ws INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  correlation_id TEXT NOT NULL,
  recipient INTEGER NOT NULL,
  message_id INTEGER NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (ws, pid, correlation_id),
  FOREIGN KEY (ws, pid) REFERENCES boxes (ws, pid) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
`;

import type { SQLInputValue } from 'node:sqlite';
import type {
  AnswerFilter,
  BoxRow,
  BoxSenders,
  Delivery,
  MailTable,
  MessageRow,
  NewBox,
  NewMessage,
  Removed,
  RequestRow,
  Room,
  Subscribers,
  Visible,
} from '../tables/mail-table.ts';
import { optional, parseObject, readNames } from './columns.ts';
import type { Row } from './database.ts';
import type { MailStatements } from './mail-statements.ts';
import { jsonOrNull } from './partial-update.ts';
import type { TableContext } from './table-context.ts';

/** Payloads up to this stand in the message itself, in copies too: reading and deleting them costs nothing more. */
const INLINE_BYTES_MAX = 512;
/** Messages removed at a time when a box goes with all it holds. */
const STEP = 1_000;

export class SqliteMailTable implements MailTable {
  readonly #statements: MailStatements;
  readonly #context: TableContext;

  constructor(statements: MailStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }

  findBox(pid: number): BoxRow | undefined {
    const row = this.#statements.findBox.get(this.#context.ws, pid);
    return row === undefined ? undefined : readBox(row);
  }

  isOpen(pid: number, { bytes, bytesMax, deliveredFactor, isCounted }: Room): boolean {
    return this.#statements.isOpen.get(this.#context.ws, pid, deliveredFactor, bytes, bytesMax, isCounted ? 0 : 1) !== undefined;
  }

  totals(): { readonly boxes: number; readonly pending: number } {
    const row = this.#statements.totals.get(this.#context.ws);
    return { boxes: Number(row?.['boxes']), pending: Number(row?.['pending']) };
  }

  topicsOf(pid: number): readonly string[] {
    return this.#statements.topicsOf.all(this.#context.ws, pid).map((row) => String(row['topic']));
  }

  hasPatterns(): boolean {
    return this.#statements.hasPatterns.get(this.#context.ws) !== undefined;
  }

  subscribers(topics: readonly string[], limit: number, { bytes, bytesMax, deliveredFactor, isCounted }: Room): Subscribers {
    const row = this.#statements.subscribers.get(
      this.#context.ws,
      JSON.stringify(topics),
      deliveredFactor,
      bytes,
      bytesMax,
      isCounted ? 0 : 1,
      limit,
    );
    return { open: readNumbers(row?.['open']), others: readNumbers(row?.['others']) };
  }

  visible({ pid, waitingFrom }: BoxRow, { limit, topic }: { readonly limit: number; readonly topic?: string | undefined }): Visible {
    const { ws, counters } = this.#context;
    const now = this.#context.now();
    const { special, waiting, visible, visibleOfTopic } = this.#statements;
    const isPlain = topic === undefined && special.get(ws, pid, now)?.['is_there'] === 0;
    const values = [ws, pid, now, limit, waitingFrom];
    const rows = topic === undefined ? (isPlain ? waiting : visible).all(...values) : visibleOfTopic.all(...values, topic);
    const messages = rows.map(readMessage);
    if (topic !== undefined) return { messages, waitingFrom };
    if (messages.length < limit) return { messages, waitingFrom: counters.peek('message') };
    const last = messages.findLast((message) => message.priority === 0 && message.id >= waitingFrom);
    return { messages, waitingFrom: last === undefined ? waitingFrom : last.id + 1 };
  }

  nextVisibleAt(pid: number): number | undefined {
    return optional(this.#statements.nextVisibleAt.get(this.#context.ws, pid, this.#context.now())?.['at'], Number);
  }

  after(pid: number, since: number, limit: number): readonly MessageRow[] {
    return this.#statements.after.all(this.#context.ws, pid, this.#context.now(), limit, since).map(readMessage);
  }

  dead(pid: number, since: number, limit: number): readonly MessageRow[] {
    return this.#statements.dead.page(this.#context.ws, pid, this.#context.now(), limit, since).map(readMessage);
  }

  findAnswer(pid: number, { correlationId, sender, after }: AnswerFilter): MessageRow | undefined {
    const row = this.#statements.answers.get(this.#context.ws, pid, this.#context.now(), 1, after, correlationId, sender);
    return row === undefined ? undefined : readMessage(row);
  }

  countFrom(pid: number, sender: number, most: number): number {
    const row = this.#statements.countFrom.get(this.#context.ws, pid, sender, most);
    return Math.min(most, Number(row?.['counted']) + Number(row?.['others']));
  }

  findKey(recipient: number, sender: number | undefined, key: string): number | undefined {
    const row = this.#statements.findKey.get(this.#context.ws, recipient, sender ?? NOBODY, key, this.#context.now());
    return optional(row?.['message_id'], Number);
  }

  findRequest(pid: number, correlationId: string): RequestRow | undefined {
    const row = this.#statements.findRequest.get(this.#context.ws, pid, correlationId, this.#context.now());
    return row === undefined ? undefined : readRequest(row);
  }

  countRequests(pid: number, most: number): number {
    return Number(this.#statements.countRequests.get(this.#context.ws, pid, most)?.['count']);
  }

  nextDueAt(): number | undefined {
    return optional(this.#statements.nextDueAt.get(this.#context.ws)?.['at'], Number);
  }

  dueBoxes(at: number, limit: number): readonly BoxRow[] {
    return this.#statements.dueBoxes.all(this.#context.ws, at, limit).map(readBox);
  }

  insertBox({ pid, capacity, senderCapacity, retentionMs, deliveriesMax, senders }: NewBox): void {
    const whose = typeof senders === 'string' ? senders : JSON.stringify(senders);
    this.#statements.insertBox.run(
      ...[this.#context.ws, pid, capacity, senderCapacity, retentionMs, deliveriesMax, whose, this.#context.now()],
    );
  }

  deleteBox(pid: number): number {
    this.#context.counters.keepFloor('message'); // The counter goes by the newest message of each box.
    let removed = 0;
    for (;;) {
      const ids = readIds(this.#statements.all.all(this.#context.ws, pid, 0, STEP));
      if (ids.length === 0) break;
      removed += this.remove(pid, ids).ids.length;
    }
    this.#statements.deleteBox.run(this.#context.ws, pid);
    return removed;
  }

  subscribe(pid: number, topic: string, { isPattern }: { readonly isPattern: boolean }): boolean {
    return this.#statements.subscribe.run(this.#context.ws, pid, topic, isPattern ? 1 : 0) > 0;
  }

  unsubscribe(pid: number, topic: string): boolean {
    return this.#statements.unsubscribe.run(this.#context.ws, pid, topic) > 0;
  }

  insert(recipient: number, message: NewMessage): number {
    const { ws, counters } = this.#context;
    const id = counters.take('message');
    const bytes = Buffer.byteLength(message.text);
    const body = bytes <= INLINE_BYTES_MAX ? undefined : this.#insertBody(message, undefined, id, 1);
    this.#statements.insert.run(ws, recipient, id, ...this.#columns(message, body, bytes));
    this.#statements.countArrival.run(bytes, id, ws, recipient);
    if (message.expiresAt !== undefined) this.#statements.lowerDue.run(message.expiresAt, ws, `[${recipient}]`);
    return id;
  }

  insertCopies(recipients: readonly number[], topic: string, message: NewMessage): number {
    const { ws, counters } = this.#context;
    const firstId = counters.peek('message');
    for (const _ of recipients) counters.take('message');
    const bytes = Buffer.byteLength(message.text);
    const body = this.#insertBody(message, topic, firstId, recipients.length);
    const list = JSON.stringify(recipients);
    this.#statements.insertCopies.run(ws, firstId, ...this.#columns(message, body, bytes), list);
    this.#statements.countArrivals.run(bytes, firstId + recipients.length - 1, ws, list);
    if (message.expiresAt !== undefined) this.#statements.lowerDue.run(message.expiresAt, ws, list);
    return firstId;
  }

  #insertBody({ kind, text }: NewMessage, topic: string | undefined, id: number, uses: number): number {
    this.#statements.insertBody.run(this.#context.ws, id, uses, topic ?? null, kind, text);
    return id;
  }

  /** From `sender` to the end. */
  #columns(message: NewMessage, body: number | undefined, bytes: number): SQLInputValue[] {
    const { sender, kind, text, priority, visibleAt, expiresAt, correlationId, labels } = message;
    const own = body === undefined ? [kind, text, null] : [null, null, body];
    const terms = [visibleAt, expiresAt ?? null, correlationId ?? null, jsonOrNull(labels)];
    return [sender ?? null, ...own, bytes, priority, this.#context.now(), ...terms];
  }

  deliver(box: BoxRow, { messages, waitingFrom }: Visible, { hiddenUntil, keptUntil }: Delivery): void {
    const { ws } = this.#context;
    const now = this.#context.now();
    const { deliver, deliverShown, countDelivery, lowerDue } = this.#statements;
    const { by, ids } = named(messages);
    if (hiddenUntil === undefined) deliverShown[by].run(now, ws, box.pid, ids);
    else deliver[by].run(now, hiddenUntil, ws, box.pid, ids);
    const fresh = messages.filter(({ deliveredAt }) => deliveredAt === undefined).length;
    const from = hiddenUntil === undefined ? box.waitingFrom : waitingFrom; // What is not hidden waits on.
    if (fresh > 0 || from !== box.waitingFrom) countDelivery.run(fresh, from, ws, box.pid);
    const dueAt = Math.max(hiddenUntil ?? 0, keptUntil);
    if (box.dueAt === undefined || box.dueAt > dueAt) lowerDue.run(dueAt, ws, `[${box.pid}]`);
  }

  countSenders(pid: number): void {
    this.#statements.countSenders.run(this.#context.ws, pid);
    this.#statements.countedSenders.run(this.#context.ws, pid);
  }

  giveBack(pid: number, ids: readonly number[], hiddenUntil: number): readonly number[] {
    const { ws } = this.#context;
    const hidden = readIds(this.#statements.stillHidden.all(ws, pid, JSON.stringify(ids), hiddenUntil));
    if (hidden.length > 0) this.#statements.giveBack.run(this.#context.now(), ws, pid, JSON.stringify(hidden));
    return hidden;
  }

  bury(pid: number, messages: readonly MessageRow[], deadMax: number): void {
    const { ws } = this.#context;
    this.#countLeaving(pid, this.#statements.bury.all(ws, pid, idList(messages)));
    const old = readIds(this.#statements.oldDead.all(ws, pid, deadMax));
    if (old.length > 0) this.remove(pid, old);
  }

  remove(pid: number, ids: readonly number[]): Removed {
    const [id] = ids;
    if (id === undefined) return NOTHING;
    const { remove } = this.#statements;
    const { ws } = this.#context;
    const rows = ids.length === 1 ? remove.one.all(ws, pid, id) : remove.many.all(ws, pid, JSON.stringify(ids));
    if (rows.length === 0) return NOTHING;
    this.#leaveBodies(rows);
    const { pending, delivered } = this.#countLeaving(pid, rows);
    return { ids: readIds(rows).toSorted(ascending), pending, delivered, dead: rows.length - pending - delivered };
  }

  removeShown(pid: number, limit: number): Removed {
    return this.remove(pid, readIds(this.#statements.shown.all(this.#context.ws, pid, limit)));
  }

  removeDue({ pid, retentionMs }: BoxRow, at: number, limit: number): Removed {
    const { ws } = this.#context;
    const expired = readIds(this.#statements.expired.all(ws, pid, at, limit));
    const outkept = readIds(this.#statements.outkept.all(ws, pid, at - retentionMs, at, limit));
    const due = [...new Set([...expired, ...outkept])].slice(0, limit);
    const removed = this.remove(pid, due);
    if (due.length < limit) this.#tidy(pid, retentionMs, at);
    return removed;
  }

  /** Its messages are all within their time. */
  #tidy(pid: number, retentionMs: number, at: number): void {
    const { ws } = this.#context;
    const keys = this.#statements.forgetKeys.run(ws, pid, at);
    if (keys > 0) this.#statements.countKeys.run(-keys, ws, pid);
    this.#statements.forgetRequests.run(ws, pid, at);
    this.#statements.refreshDue.run(ws, pid, retentionMs);
  }

  keepKey(
    recipient: number,
    sender: number | undefined,
    key: string,
    { messageId, until }: { readonly messageId: number; readonly until: number },
    keysMax: number,
  ): void {
    const { ws } = this.#context;
    const replaced = this.#statements.deleteKey.run(ws, recipient, sender ?? NOBODY, key);
    this.#statements.insertKey.run(ws, recipient, sender ?? NOBODY, key, messageId, until);
    const before = Number(this.#statements.keysOf.get(ws, recipient)?.['keys']);
    const extra = Math.max(0, before + 1 - replaced - keysMax);
    for (const row of this.#statements.oldestKeys.all(ws, recipient, extra)) {
      this.#statements.deleteKey.run(ws, recipient, Number(row['sender']), String(row['key']));
    }
    this.#statements.countKeys.run(1 - replaced - extra, ws, recipient);
    this.#statements.lowerDue.run(until, ws, `[${recipient}]`);
  }

  insertRequest({ pid, correlationId, recipient, messageId, until }: RequestRow): void {
    this.#statements.insertRequest.run(this.#context.ws, pid, correlationId, recipient, messageId, until);
    this.#statements.lowerDue.run(until, this.#context.ws, `[${pid}]`);
  }

  deleteRequest(pid: number, correlationId: string, messageId?: number): boolean {
    return this.#statements.deleteRequest.run(this.#context.ws, pid, correlationId, messageId ?? null) > 0;
  }

  /** These messages are in the box no more. Dead ones were not counted. */
  #countLeaving(pid: number, rows: readonly Row[]): { readonly pending: number; readonly delivered: number } {
    const live = rows.filter((row) => row['is_dead'] === 0);
    const pending = live.filter((row) => row['is_pending'] === 1).length;
    const delivered = live.length - pending;
    const bytes = live.reduce((sum, row) => sum + Number(row['bytes']), 0);
    if (live.length > 0) this.#statements.countLeaving.run(pending, delivered, bytes, this.#context.ws, pid);
    return { pending, delivered };
  }

  #leaveBodies(rows: readonly Row[]): void {
    for (const row of rows) {
      if (row['body'] === null) continue;
      const body = Number(row['body']);
      this.#statements.leaveBody.run(1, this.#context.ws, body);
      this.#statements.deleteBody.run(this.#context.ws, body);
    }
  }
}

/** The sender of a message that no process sent, where a column needs one. */
const NOBODY = 0;
const NOTHING: Removed = { ids: [], pending: 0, delivered: 0, dead: 0 };

function ascending(one: number, other: number): number {
  return one - other;
}

/** Which statement finds these, and by what. */
function named(messages: readonly MessageRow[]): { readonly by: 'one' | 'many'; readonly ids: SQLInputValue } {
  const [first] = messages;
  return messages.length === 1 && first !== undefined ? { by: 'one', ids: first.id } : { by: 'many', ids: idList(messages) };
}

function idList(messages: readonly MessageRow[]): string {
  return JSON.stringify(messages.map(({ id }) => id));
}

function readIds(rows: readonly Row[]): readonly number[] {
  return rows.map((row) => Number(row['id']));
}

function readBox(row: Row): BoxRow {
  return {
    pid: Number(row['pid']),
    capacity: Number(row['capacity']),
    senderCapacity: Number(row['sender_capacity']),
    retentionMs: Number(row['retention_ms']),
    deliveriesMax: Number(row['deliveries_max']),
    senders: readSenders(String(row['senders'])),
    pending: Number(row['pending']),
    delivered: Number(row['delivered']),
    bytes: Number(row['bytes']),
    waitingFrom: Number(row['waiting_from']),
    dueAt: optional(row['due_at'], Number),
    createdAt: Number(row['created_at']),
  };
}

/** Only lists that SQLite made stand in these columns. */
function readNumbers(value: SQLInputValue | undefined): readonly number[] {
  return JSON.parse(String(value)) as readonly number[]; // As above.
}

/** Only what `insertBox` wrote stands in this column. */
function readSenders(text: string): BoxSenders {
  return text === 'anyone' || text === 'family' ? text : (JSON.parse(text) as readonly number[]); // As above.
}

function readMessage(row: Row): MessageRow {
  return {
    id: Number(row['id']),
    sender: optional(row['sender'], Number),
    recipient: Number(row['recipient']),
    topic: optional(row['topic'], String),
    kind: String(row['kind']),
    payload: parseObject(row['payload']),
    priority: Number(row['priority']),
    postedAt: Number(row['posted_at']),
    deliveredAt: optional(row['delivered_at'], Number),
    deliveries: Number(row['deliveries']),
    expiresAt: optional(row['expires_at'], Number),
    correlationId: optional(row['correlation_id'], String),
    labels: optional(row['labels'], readNames),
  };
}

function readRequest(row: Row): RequestRow {
  return {
    pid: Number(row['pid']),
    correlationId: String(row['correlation_id']),
    recipient: Number(row['recipient']),
    messageId: Number(row['message_id']),
    until: Number(row['until']),
  };
}

import type { JsonObject } from '../../internal/json.ts';

/** Who may write to a box: every process of the workspace, those with the same first ancestor, or these. */
export type BoxSenders = 'anyone' | 'family' | readonly number[];

/** What a box is told when it is made. Times are kernel milliseconds. */
export type NewBox = {
  readonly pid: number;
  /** Messages it holds that were never handed out. */
  readonly capacity: number;
  /** How many of those may be of one sender. */
  readonly senderCapacity: number;
  /** How long what was handed out is kept for an acknowledgement, and dead letters and keys for whoever asks. */
  readonly retentionMs: number;
  /** A message that was handed out this often and is still not acknowledged becomes a dead letter. */
  readonly deliveriesMax: number;
  readonly senders: BoxSenders;
};

export type BoxRow = NewBox & {
  /** Never handed out. */
  readonly pending: number;
  /** Handed out, not acknowledged. */
  readonly delivered: number;
  /** Of the payloads of both. */
  readonly bytes: number;
  readonly createdAt: number;
  /** Nothing of priority 0 that was never handed out has a smaller id. */
  readonly waitingFrom: number;
  /** Nothing in it has to be deleted before; undefined when nothing has to be. */
  readonly dueAt: number | undefined;
};

export type MessageRow = {
  readonly id: number;
  readonly sender: number | undefined;
  readonly recipient: number;
  /** Undefined: sent to the recipient directly. */
  readonly topic: string | undefined;
  readonly kind: string;
  readonly payload: JsonObject;
  readonly priority: number;
  readonly postedAt: number;
  /** When it was last handed out. */
  readonly deliveredAt: number | undefined;
  readonly deliveries: number;
  readonly expiresAt: number | undefined;
  readonly correlationId: string | undefined;
  /** Labels of untrusted content; undefined when it carries none. */
  readonly labels?: readonly string[] | undefined;
};

export type NewMessage = Pick<MessageRow, 'sender' | 'kind' | 'priority' | 'expiresAt' | 'correlationId' | 'labels'> & {
  /** The payload as JSON. */
  readonly text: string;
  /** Hidden until then; 0 to be visible at once. */
  readonly visibleAt: number;
};

/** What is visible, and where `waitingFrom` of its box is once all of it is handed out. */
export type Visible = { readonly messages: readonly MessageRow[]; readonly waitingFrom: number };

/** What a message needs of a box besides fewer pending messages than its capacity. */
export type Room = {
  readonly bytes: number;
  readonly bytesMax: number;
  readonly deliveredFactor: number;
  /** Also fewer than one sender may have: its sender's messages are counted. */
  readonly isCounted: boolean;
};

/** Pids of boxes that are open, and of those that have to be looked at one by one. */
export type Subscribers = { readonly open: readonly number[]; readonly others: readonly number[] };

export type Delivery = {
  /** Undefined: they stay as visible as they are. */
  readonly hiddenUntil: number | undefined;
  /** Without an acknowledgement. */
  readonly keptUntil: number;
};

/** What was removed from a box. */
export type Removed = { readonly ids: readonly number[]; readonly pending: number; readonly delivered: number; readonly dead: number };

export type AnswerFilter = { readonly correlationId: string; readonly sender: number; readonly after: number };

/** Somebody waits for an answer with this correlation id. */
export type RequestRow = {
  readonly pid: number;
  readonly correlationId: string;
  /** Who was asked, and with which message. */
  readonly recipient: number;
  readonly messageId: number;
  readonly until: number;
};

/** What is expired is in the table until it is removed, and no read finds it. Dead letters are found by `dead` only. */
export interface MailTableReads {
  findBox(pid: number): BoxRow | undefined;
  /** Whether there is a box that has room and takes mail of anyone. When not, look at the box. */
  isOpen(pid: number, room: Room): boolean;
  totals(): { readonly boxes: number; readonly pending: number };
  /** Ascending. */
  topicsOf(pid: number): readonly string[];
  /** Whether any box subscribes to a pattern. */
  hasPatterns(): boolean;
  /** Who subscribes to any of these topics and patterns, each once, by pid; at most `limit`. */
  subscribers(topics: readonly string[], limit: number, room: Room): Subscribers;
  /** What can be handed out now of a box as it is now, best priority first, then oldest. With `topic` only what was published there. */
  visible(box: BoxRow, options: { readonly limit: number; readonly topic?: string | undefined }): Visible;
  /** When the next hidden message becomes visible. */
  nextVisibleAt(pid: number): number | undefined;
  /** By id, hidden or not. */
  after(pid: number, since: number, limit: number): readonly MessageRow[];
  /** Dead letters by id. */
  dead(pid: number, since: number, limit: number): readonly MessageRow[];
  /** The oldest of this sender with this correlation id whose id is greater than `after`. */
  findAnswer(pid: number, answer: AnswerFilter): MessageRow | undefined;
  /** How many of this sender were never handed out; counts no further than `most`. Counts expired ones too. */
  countFrom(pid: number, sender: number, most: number): number;
  /** The message that was sent with this key, as long as the key is kept. */
  findKey(recipient: number, sender: number | undefined, key: string): number | undefined;
  /** As long as its time has not passed. */
  findRequest(pid: number, correlationId: string): RequestRow | undefined;
  /** As far as `most`. */
  countRequests(pid: number, most: number): number;
  /** When some box has something to delete. */
  nextDueAt(): number | undefined;
  /** Boxes that may have something to delete at this time, the longest due first. */
  dueBoxes(at: number, limit: number): readonly BoxRow[];
}

/** The counts of a box follow from what is done to its messages. */
export interface MailTable extends MailTableReads {
  insertBox(box: NewBox): void;
  /** With everything in it. Returns how many messages, dead letters among them. */
  deleteBox(pid: number): number;
  /** Returns whether it was not there before. */
  subscribe(pid: number, topic: string, options: { readonly isPattern: boolean }): boolean;
  /** Returns whether it was there. */
  unsubscribe(pid: number, topic: string): boolean;
  /** Returns its id. Ids ascend within the workspace and are never given again. */
  insert(recipient: number, message: NewMessage): number;
  /** The same message, published to a topic, to several boxes. Returns the first id; the others follow it in the order of the recipients. */
  insertCopies(recipients: readonly number[], topic: string, message: NewMessage): number;
  /** Makes `countFrom` quick from here on: otherwise it looks at everything that waits. */
  countSenders(pid: number): void;
  /** Hands out these of a box as it is now. */
  deliver(box: BoxRow, visible: Visible, delivery: Delivery): void;
  /**
   * Takes back what was handed out and is still hidden until then: visible again, as if it had been handed out once less. Returns the ids.
   */
  giveBack(pid: number, ids: readonly number[], hiddenUntil: number): readonly number[];
  /** Makes them dead letters; of those only the newest `deadMax` are kept. */
  bury(pid: number, messages: readonly MessageRow[], deadMax: number): void;
  /** Removes these, whatever became of them. */
  remove(pid: number, ids: readonly number[]): Removed;
  /** Removes up to `limit` of the oldest that are handed out and visible all the same. */
  removeShown(pid: number, limit: number): Removed;
  /** Removes what is past its time, up to `limit` messages; when that was all, also keys and requests, and the box knows what is due next. */
  removeDue(box: BoxRow, at: number, limit: number): Removed;
  /** Keeps the newest `keysMax` keys of the box. */
  keepKey(
    recipient: number,
    sender: number | undefined,
    key: string,
    value: { readonly messageId: number; readonly until: number },
    keysMax: number,
  ): void;
  insertRequest(request: RequestRow): void;
  /** Whichever is open under this id, or only that of this question. Returns whether it was there. */
  deleteRequest(pid: number, correlationId: string, messageId?: number): boolean;
}

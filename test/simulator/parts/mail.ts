import type { EventRecord, Message, WorkspaceKernel } from '@warren/kernel';
import type { Random } from '@warren/kernel/testing';
import { keep } from '../notes.ts';
import type { Asking, Known, Last, Model, Moment, Part, Told } from '../part.ts';
import { abortSoon, whileWaiting } from '../waiting.ts';
import { optional, somePid } from './processes.ts';

type Box = NonNullable<Awaited<ReturnType<WorkspaceKernel['mail']['findBox']>>>;
type Terms = Omit<Box, 'pid' | 'pending' | 'delivered' | 'bytes' | 'createdAt'>;

const TOPICS = ['a.b', 'a.c', 'a.b.c'] as const;
const PATTERNS = [...TOPICS, 'a.*', '*.b', 'a.**', '**'] as const;
/** Letters of a kind that begins so have the kind as their dedupe key. */
const KEYED = 'key';
const KINDS = ['note', 'note', 'long', 'key-1', 'key-2'] as const;
/** Longer than what is kept with the message itself. */
const LONG = 'x'.repeat(700);
const IDS_MAX = 30;
const DELIVERED_FACTOR = 4;

/** What a letter says follows from its kind. */
function payloadOf(kind: string): { readonly of: string; readonly text?: string } {
  return kind === 'long' ? { of: kind, text: LONG } : { of: kind };
}

type Kept = Message & {
  /** 0: it waits; a time: it is hidden until then; undefined: it is a dead letter. */
  readonly visibleAt: number | undefined;
};

class BoxModel {
  readonly terms: Terms;
  readonly createdAt: number;
  readonly topics = new Set<string>();
  readonly messages = new Map<number, Kept>();
  /** Until when a key of a sender is remembered. */
  readonly keys = new Map<string, number>();
  readonly requests = new Map<string, { readonly recipient: number; readonly until: number }>();

  constructor(terms: Terms, createdAt: number) {
    this.terms = terms;
    this.createdAt = createdAt;
  }

  get(id: number): Kept {
    const found = this.messages.get(id);
    if (found === undefined) throw new Error(`Message ${id} is not there, or was acknowledged`);
    return found;
  }

  put(message: Kept, change: Partial<Kept>): void {
    this.messages.set(message.id, { ...message, ...change });
  }

  get living(): readonly Kept[] {
    return [...this.messages.values()].filter(({ visibleAt }) => visibleAt !== undefined);
  }

  get pending(): readonly Kept[] {
    return this.living.filter(({ deliveredAt }) => deliveredAt === undefined);
  }

  /** What is handed out next, best first. */
  visible(now: number): readonly Kept[] {
    const { deliveriesMax } = this.terms;
    const isVisible = (each: Kept) => isFresh(each, now) && Number(each.visibleAt) <= now && each.deliveries < deliveriesMax;
    return this.living.filter(isVisible).toSorted(byRank);
  }
}

export class MailModel implements Model {
  readonly #known: Known;
  readonly #boxes = new Map<number, BoxModel>();
  #lastId = 0;
  readonly #hearers: Readonly<Record<string, (event: EventRecord) => void>> = {
    box_created: (event) => this.#createBox(event),
    box_deleted: (event) => this.#deleteBox(event),
    subscribed: (event) => this.#subscribe(event),
    unsubscribed: (event) => this.#unsubscribe(event),
    sent: (event) => this.#send(event),
    published: (event) => this.#publish(event),
    received: (event) => this.#receive(event),
    returned: (event) => this.#giveBack(event),
    acknowledged: (event) => this.#remove(event, () => true),
    expired: (event) => this.#remove(event, (message, box) => isPast(message, box, event.at)),
    forgotten: (event) => this.#forget(event),
    dead: (event) => this.#bury(event),
    requested: (event) => this.#request(event),
    answered: (event) => this.#answer(event),
    unanswered: (event) => this.#closeRequest(event),
  };

  constructor(known: Known) {
    this.#known = known;
  }

  hear(event: EventRecord): void {
    if (!event.kind.startsWith('kernel.mail.')) return;
    const hearer = this.#hearers[event.kind.slice('kernel.mail.'.length)];
    if (hearer === undefined) throw new Error(`Unheard of: ${event.kind}`);
    hearer(event);
  }

  rest(): void {
    for (const pid of this.#boxes.keys()) if (!this.#known.processes.isAlive(pid)) throw new Error(`Process ${pid} is DEAD and has a box`);
  }

  state({ now }: Moment) {
    const boxes = this.#sorted().map(([pid, box]) => showBox(pid, box, now));
    return { boxes, totals: { boxes: boxes.length, pending: boxes.reduce((sum, { box }) => sum + box.pending, 0) } };
  }

  /** Of each box, best first. */
  receivable(now: number): readonly (readonly [number, readonly number[]])[] {
    return this.#sorted().map(([pid, box]) => [pid, box.visible(now).map(({ id }) => id)]);
  }

  #sorted(): readonly (readonly [number, BoxModel])[] {
    return [...this.#boxes].toSorted(([one], [other]) => one - other);
  }

  #box({ kind, pid }: Pick<EventRecord, 'kind' | 'pid'>): BoxModel {
    const box = this.#boxes.get(pid ?? 0);
    if (box === undefined) throw new Error(`${kind}: process ${pid} has no box`);
    return box;
  }

  #createBox({ pid = 0, at, payload }: EventRecord): void {
    if (this.#boxes.has(pid)) throw new Error(`Process ${pid} has two boxes`);
    const terms: Terms = {
      ...{ capacity: Number(payload['queue_size']), senderCapacity: Number(payload['sender_capacity']) },
      ...{ retentionMs: Number(payload['retention_ms']), deliveriesMax: Number(payload['deliveries_max']) },
      senders: payload['senders'] as Terms['senders'], // A wrong one differs from what is held.
    };
    this.#boxes.set(pid, new BoxModel(terms, at));
  }

  #deleteBox(event: EventRecord): void {
    const { size } = this.#box(event).messages;
    if (event.payload['removed_messages'] !== size) throw new Error(`A box of ${size} messages lost ${event.payload['removed_messages']}`);
    this.#boxes.delete(Number(event.pid));
  }

  #subscribe(event: EventRecord): void {
    this.#box(event).topics.add(String(event.payload['topic']));
  }

  #unsubscribe(event: EventRecord): void {
    if (!this.#box(event).topics.delete(String(event.payload['topic']))) throw new Error('Who was not subscribed no longer is');
  }

  #send(event: EventRecord): void {
    const { pid = 0, at, payload, correlationId } = event;
    const sender = optional<number>(payload['sender']);
    const box = this.#box(event);
    const request = correlationId === undefined ? undefined : box.requests.get(correlationId);
    const isAnswer = request !== undefined && request.until > at && request.recipient === sender;
    if (!isAnswer && !this.#maySend(sender, pid, box)) throw new Error(`Process ${sender} wrote to ${pid}, and may not`);
    this.#insert(event, Number(payload['message_id']), pid, isAnswer ? request.until : 0);
  }

  #maySend(sender: number | undefined, pid: number, { terms: { senders } }: BoxModel): boolean {
    if (sender === undefined || sender === pid || senders === 'anyone') return true;
    const { processes } = this.#known;
    if (senders !== 'family') return senders.includes(sender);
    return processes.line(sender).at(-1)?.pid === processes.line(pid).at(-1)?.pid;
  }

  #insert({ at, payload, correlationId }: EventRecord, id: number, recipient: number, visibleAt: number): void {
    if (id <= this.#lastId) throw new Error(`Message ${id} was sent after ${this.#lastId}`);
    this.#lastId = id;
    const box = this.#box({ kind: 'insert', pid: recipient });
    const [sender, kind] = [optional<number>(payload['sender']), String(payload['kind'])];
    box.messages.set(id, {
      ...{
        id,
        sender,
        recipient,
        topic: optional<string>(payload['topic']),
        kind,
        payload: payloadOf(kind),
        labels: undefined,
        postedAt: at,
        visibleAt,
      },
      ...{ priority: Number(payload['priority'] ?? 0), expiresAt: optional<number>(payload['expires_at']), correlationId },
      ...{ deliveredAt: undefined, deliveries: 0 },
    });
    checkRoom(box, sender);
    if (!kind.startsWith(KEYED)) return;
    if (knowsKey(box, sender, kind, at)) throw new Error(`Message ${id} repeats an earlier one`);
    box.keys.set(`${sender}:${kind}`, at + box.terms.retentionMs);
  }

  #publish(event: EventRecord): void {
    const { at, payload } = event;
    const [topic, kind, sender] = [String(payload['topic']), String(payload['kind']), optional<number>(payload['sender'])];
    const recipients = payload['recipients'] as readonly number[]; // Or this throws.
    const subscribers = this.#sorted().filter(([, { topics }]) => [...topics].some((each) => isMatch(each, topic)));
    const repeated = subscribers.filter(([, box]) => kind.startsWith(KEYED) && knowsKey(box, sender, kind, at));
    if (recipients.length + Number(payload['rejected']) + repeated.length !== subscribers.length)
      throw new Error(`Of ${subscribers.length} subscribers, ${recipients.length} got a message and ${payload['rejected']} did not`);
    for (const [index, pid] of recipients.entries()) {
      const [, box] = subscribers.find(([each]) => each === pid) ?? [];
      if (box === undefined || !this.#maySend(sender, pid, box)) throw new Error(`Process ${pid} got what was published to ${topic}`);
      this.#insert(event, Number(payload['first_message_id']) + index, pid, 0);
    }
  }

  #receive(event: EventRecord): void {
    const { at, payload } = event;
    const box = this.#box(event);
    const messages = idsOf(event).map((id) => box.get(id));
    const hiddenUntil = optional<number>(payload['hidden_until']);
    if (hiddenUntil !== undefined) checkOrder(box, messages, at);
    for (const message of messages) {
      const { id, visibleAt, deliveries, deliveredAt } = message;
      if (visibleAt === undefined || !isFresh(message, at)) throw new Error(`Message ${id} was handed out, and is dead or expired`);
      if (hiddenUntil === undefined && deliveredAt !== undefined) throw new Error(`Message ${id} counts twice as handed out`);
      if (hiddenUntil !== undefined && visibleAt > at) throw new Error(`Message ${id} was handed out, and is hidden until ${visibleAt}`);
      if (deliveries >= box.terms.deliveriesMax) throw new Error(`Message ${id} was handed out ${deliveries + 1} times`);
      box.put(message, { deliveredAt: at, deliveries: deliveries + 1, visibleAt: hiddenUntil ?? visibleAt });
    }
  }

  #giveBack(event: EventRecord): void {
    const box = this.#box(event);
    for (const message of idsOf(event).map((id) => box.get(id))) {
      if (message.deliveries === 0) throw new Error(`Message ${message.id} was given back, and never handed out`);
      box.put(message, { deliveries: message.deliveries - 1, visibleAt: event.at });
    }
  }

  #remove(event: EventRecord, isAllowed: (message: Kept, box: BoxModel) => boolean): void {
    const box = this.#box(event);
    for (const id of idsOf(event)) {
      if (!isAllowed(box.get(id), box)) throw new Error(`${event.kind}: message ${id} is within its time`);
      box.messages.delete(id);
    }
  }

  #forget(event: EventRecord): void {
    const { terms, living, pending } = this.#box(event);
    const delivered = living.length - pending.length;
    if (delivered < terms.capacity * DELIVERED_FACTOR) throw new Error(`Messages were forgotten, and there were only ${delivered}`);
    this.#remove(event, ({ visibleAt, deliveredAt }) => visibleAt === 0 && deliveredAt !== undefined);
  }

  #bury(event: EventRecord): void {
    const box = this.#box(event);
    const message = box.get(Number(event.payload['message_id']));
    if (message.deliveries < box.terms.deliveriesMax)
      throw new Error(`Message ${message.id} is dead after ${message.deliveries} deliveries`);
    if (Number(message.visibleAt) > event.at) throw new Error(`Message ${message.id} is dead before its time`);
    box.put(message, { visibleAt: undefined });
  }

  #request(event: EventRecord): void {
    const { at, payload, correlationId = '' } = event;
    const { requests } = this.#box(event);
    if ((requests.get(correlationId)?.until ?? 0) > at) throw new Error(`Request ${correlationId} was opened twice`);
    requests.set(correlationId, { recipient: Number(payload['recipient']), until: Number(payload['until']) });
  }

  #answer(event: EventRecord): void {
    const box = this.#box(event);
    const answer = box.get(Number(event.payload['message_id']));
    if (answer.sender !== box.requests.get(event.correlationId ?? '')?.recipient)
      throw new Error(`Message ${answer.id} is of somebody else`);
    if (answer.correlationId !== event.correlationId) throw new Error(`Message ${answer.id} answers another request`);
    box.messages.delete(answer.id);
    this.#closeRequest(event);
  }

  #closeRequest(event: EventRecord): void {
    this.#box(event).requests.delete(event.correlationId ?? '');
  }
}

/** Nothing better of the same topics is left behind. */
function checkOrder(box: BoxModel, messages: readonly Kept[], at: number): void {
  const topics = new Set(messages.map(({ topic }) => topic));
  const isOfTopic = topics.size === 1 && !topics.has(undefined);
  const left = box.visible(at).filter((each) => !messages.includes(each) && (!isOfTopic || topics.has(each.topic)));
  const worst = messages.toSorted(byRank).at(-1);
  const better = worst === undefined ? undefined : left.find((each) => byRank(each, worst) < 0);
  if (better !== undefined) throw new Error(`Message ${worst?.id} was handed out before ${better.id}`);
}

/** After a message was put in. */
function checkRoom({ terms, living, pending }: BoxModel, sender: number | undefined): void {
  const ofSender = pending.filter((each) => each.sender === sender).length;
  if (pending.length > terms.capacity) throw new Error(`${pending.length} messages wait in a box of ${terms.capacity}`);
  if (sender !== undefined && ofSender > terms.senderCapacity) throw new Error(`${ofSender} messages of process ${sender} wait in a box`);
  if (living.length - pending.length >= terms.capacity * DELIVERED_FACTOR) throw new Error('A box took more than it can hold');
}

function knowsKey(box: BoxModel, sender: number | undefined, key: string, at: number): boolean {
  return (box.keys.get(`${sender}:${key}`) ?? 0) > at;
}

function isFresh({ expiresAt }: Kept, at: number): boolean {
  return expiresAt === undefined || expiresAt > at;
}

function isPast(message: Kept, { terms }: BoxModel, at: number): boolean {
  const { deliveredAt, visibleAt = 0 } = message;
  return !isFresh(message, at) || (deliveredAt !== undefined && deliveredAt + terms.retentionMs <= at && visibleAt <= at);
}

function isMatch(pattern: string, topic: string): boolean {
  const [words, names] = [pattern.split('.'), topic.split('.')];
  if (words.at(-1) !== '**') return words.length === names.length && words.every((word, index) => word === '*' || word === names[index]);
  const begin = words.slice(0, -1);
  return begin.length <= names.length && begin.every((word, index) => word === '*' || word === names[index]);
}

function byRank(one: Message, other: Message): number {
  return other.priority - one.priority || one.id - other.id;
}

function idsOf({ payload }: EventRecord): readonly number[] {
  return payload['message_ids'] as readonly number[]; // Or whoever reads them throws.
}

function showBox(pid: number, box: BoxModel, now: number) {
  const { terms, createdAt, topics, living, pending } = box;
  const shown = [...box.messages.values()].filter((each) => isFresh(each, now)).toSorted((one, other) => one.id - other.id);
  const bytes = living.reduce((sum, each) => sum + JSON.stringify(each.payload).length, 0);
  return {
    box: { pid, ...terms, pending: pending.length, delivered: living.length - pending.length, bytes, createdAt },
    topics: [...topics].toSorted(),
    messages: shown.filter(({ visibleAt }) => visibleAt !== undefined).map(toMessage),
    dead: shown.filter(({ visibleAt }) => visibleAt === undefined).map(toMessage),
  };
}

function toMessage({ visibleAt: _visibleAt, ...message }: Kept): Message {
  return message;
}

export const mail: Part = {
  name: 'mail',
  weight: 5,

  opening: [createBox, createBox, createBox, subscribe, subscribe],

  asks: [
    createBox,
    subscribe,
    send,
    send,
    publish,
    publish,
    sendTwice,
    receive,
    receive,
    awaitMail,
    acknowledge,
    acknowledge,
    request,
    async (asking) => {
      const { mine, random } = asking;
      const [pid, topic] = [someBox(asking), random.pick(PATTERNS)];
      await mine.mail.unsubscribe(pid, topic);
      return [{ kind: 'kernel.mail.unsubscribed', pid, payload: { topic } }];
    },
    async (asking) => {
      const { mine, random } = asking;
      const pid = someBox(asking);
      if (random.chance(0.8)) return [];
      const removed = await mine.mail.deleteBox(pid);
      return [{ kind: 'kernel.mail.box_deleted', pid, payload: { removed_messages: removed } }];
    },
    async (asking) => {
      const { mine, random } = asking;
      await mine.mail.replay(someBox(asking), { since: random.below(6), limit: 1 + random.below(4), marksDelivered: random.chance(0.7) });
      return []; // Everything may have been handed out before.
    },
    async ({ mine, random, notes }) => {
      const message = random.find(notes.messages);
      if (message?.sender === undefined) return [];
      const id = await mine.mail.reply(message.recipient, message, someLetter('answer', random, 0));
      return [{ kind: 'kernel.mail.sent', pid: message.sender, payload: { message_id: id } }];
    },
    async ({ mine, random }) => {
      if (random.chance(0.3)) await mine.mail.expire();
      return [];
    },
  ],

  createModel: (known) => new MailModel(known),

  async observe({ mine, processes, summary }) {
    const boxes = [];
    for (const { pid } of processes) {
      const box = await mine.mail.findBox(pid);
      if (box === undefined) continue;
      const topics = await mine.mail.listSubscriptions(pid);
      const { messages } = await mine.mail.replay(pid, { limit: 1_000 });
      boxes.push({ box, topics, messages, dead: (await mine.mail.listDead(pid, { limit: 1_000 })).messages });
    }
    return { boxes, totals: summary.mail };
  },

  lasts: [lastMail()],
};

async function createBox(asking: Asking): Promise<readonly Told[]> {
  const { mine, random } = asking;
  const pid = somePid(asking);
  await mine.mail.createBox(pid, {
    capacity: random.pick([1, 2, 4, undefined]),
    senderCapacity: random.pick([1, 2, undefined]),
    retentionMs: random.pick([0, 5_000, 50_000, undefined]),
    deliveriesMax: random.pick([1, 2, undefined]),
    senders: random.pick(['anyone', 'anyone', 'family', [somePid(asking), somePid(asking)]]),
  });
  keep(asking.notes.boxes, pid);
  return [{ kind: 'kernel.mail.box_created', pid }];
}

/** Mostly of a process that has a box. */
function someBox(asking: Asking): number {
  const guess = somePid(asking);
  return asking.random.chance(0.9) ? (asking.random.find(asking.notes.boxes) ?? guess) : guess;
}

async function subscribe(asking: Asking): Promise<readonly Told[]> {
  await asking.mine.mail.subscribe(someBox(asking), asking.random.pick(PATTERNS));
  return []; // Twice is once.
}

async function send(asking: Asking): Promise<readonly Told[]> {
  const { mine, random, now } = asking;
  const [sender, recipient, kind] = [someSender(asking), someBox(asking), random.pick(KINDS)];
  const id = await mine.mail.send(sender, recipient, someLetter(kind, random, now));
  return kind.startsWith(KEYED) ? [] : [{ kind: 'kernel.mail.sent', pid: recipient, payload: { message_id: id, kind } }];
}

/** As who does not know whether the first came through. */
async function sendTwice(asking: Asking): Promise<readonly Told[]> {
  const { mine, random } = asking;
  const [sender, recipient, letter] = [someSender(asking), someBox(asking), someLetter('key-1', random, 0)];
  await mine.mail.send(sender, recipient, letter);
  await mine.mail.send(sender, recipient, letter);
  return []; // Both may repeat what was sent before.
}

/** Several wait at a box, and then something is sent there. */
async function awaitMail(asking: Asking): Promise<readonly Told[]> {
  const { mine, random } = asking;
  const [recipient, delayMs, letter] = [someBox(asking), random.below(9), someLetter('note', random, 0)];
  const receiving = Promise.all([receiveFrom(asking, recipient), receiveFrom(asking, recipient)]);
  receiving.catch(() => {}); // Whoever waits for it hears of it.
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  const id = await mine.mail.send(undefined, recipient, letter);
  return [...(await receiving).flat(), { kind: 'kernel.mail.sent', payload: { message_id: id } }];
}

async function publish(asking: Asking): Promise<readonly Told[]> {
  const { mine, random, now } = asking;
  const [sender, topic, kind] = [someSender(asking), random.pick(TOPICS), random.pick(KINDS)];
  const { delivered } = await mine.mail.publish(sender, topic, { ...someLetter(kind, random, now), failsOnFull: random.chance(0.3) });
  return kind.startsWith(KEYED) || delivered === 0
    ? []
    : [{ kind: 'kernel.mail.published', pid: sender, payload: { topic, kind, delivered } }];
}

async function receive(asking: Asking): Promise<readonly Told[]> {
  return await receiveFrom(asking, someBox(asking));
}

async function receiveFrom({ mine, random, notes }: Asking, pid: number): Promise<readonly Told[]> {
  const [limit, visibilityMs] = [1 + random.below(3), 1 + random.below(20_000)];
  const topic = random.chance(0.2) ? random.pick(TOPICS) : undefined;
  const waitMs = random.chance(0.6) ? 1 + random.below(30_000) : 0;
  const receiving = mine.mail.receive(pid, { limit, visibilityMs, waitMs, topic }, abortSoon(random));
  const isThere = async () => (await mine.mail.receive(pid, { limit: 1, topic })).length > 0;
  const messages = await (waitMs > 0 ? whileWaiting(notes, `mail of process ${pid}`, isThere, receiving) : receiving);
  keep(notes.messages, ...messages);
  const ids = messages.map(({ id }) => id).toSorted((one, other) => one - other);
  return ids.length === 0 ? [] : [{ kind: 'kernel.mail.received', pid, payload: { message_ids: ids } }];
}

/** Of what was received, mostly; else of anything. */
async function acknowledge(asking: Asking): Promise<readonly Told[]> {
  const { mine, random, notes } = asking;
  const message = random.find(notes.messages);
  const pid = random.chance(0.9) ? (message?.recipient ?? someBox(asking)) : someBox(asking);
  const ids = [message?.id ?? 1 + random.below(IDS_MAX), 1 + random.below(IDS_MAX)];
  const count = await mine.mail.acknowledge(pid, ids);
  return count > 0 ? [{ kind: 'kernel.mail.acknowledged', pid, payload: { count } }] : [];
}

/** Mostly somebody is there who answers. */
async function request(asking: Asking): Promise<readonly Told[]> {
  const { mine, random } = asking;
  const [sender, recipient, correlationId] = [someBox(asking), someBox(asking), random.pick(['c1', 'c2'])];
  const letter = { ...someLetter('question', random, 0), correlationId, timeoutMs: 1 + random.below(20_000) };
  const answering = random.chance(0.7) ? answer(mine, recipient, correlationId) : Promise.resolve();
  const [asked, answered] = await Promise.allSettled([mine.mail.request(sender, recipient, letter, abortSoon(random)), answering]);
  if (asked.status === 'rejected') throw asked.reason;
  if (answered.status === 'rejected') throw answered.reason;
  return [{ kind: 'kernel.mail.answered', pid: sender, payload: { message_id: asked.value.id } }];
}

async function answer(mine: WorkspaceKernel, pid: number, correlationId: string): Promise<void> {
  const messages = await mine.mail.receive(pid, { limit: 10, waitMs: 2_000 });
  const question = messages.find((each) => each.correlationId === correlationId && each.kind === 'question');
  if (question !== undefined) await mine.mail.reply(pid, question, { kind: 'answer', payload: payloadOf('answer') });
}

function someSender(asking: Asking): number | undefined {
  return asking.random.chance(0.8) ? somePid(asking) : undefined;
}

function someLetter(kind: string, random: Random, now: number) {
  const expiresAt = random.chance(0.2) ? now + 1 + random.below(60_000) : undefined;
  const dedupeKey = kind.startsWith(KEYED) ? kind : undefined;
  return { kind, payload: payloadOf(kind), priority: random.below(3) - 1, expiresAt: now === 0 ? undefined : expiresAt, dedupeKey };
}

function lastMail(): Last {
  return {
    what: 'all mail that is visible',
    async ask({ mine }) {
      const { total } = await mine.processes.list({}, { limit: 1 });
      const all: (readonly [number, readonly number[]])[] = [];
      for (let pid = 1; pid <= total; pid++) {
        if ((await mine.mail.findBox(pid)) === undefined) continue;
        all.push([pid, (await mine.mail.receive(pid, { limit: 1_000 })).map(({ id }) => id)]);
      }
      return all;
    },
    expect: (model, now) => (model instanceof MailModel ? model.receivable(now) : undefined),
  };
}

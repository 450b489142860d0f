/**
 * Load on a daemon that will be killed, and a book of what it acknowledged. What was under way at a death may have happened or not; what was
 * acknowledged must be there, and nothing may have happened twice.
 */
import assert from 'node:assert/strict';
import type { Client } from '@warren/client';
import { isFault } from '@warren/protocol';

const EVENT_KIND = 'torture.note';
/** Faults that a death, or a daemon that is starting again, gives. */
const GONE = ['unavailable', 'aborted'] as const;

type Books = {
  /** Event id to the note it must hold. */
  readonly notes: Map<number, number>;
  readonly enqueued: Set<number>;
  readonly completed: Set<number>;
  readonly sent: Set<number>;
  readonly acknowledged: Set<number>;
  /** Charges that were answered, and charges that may have happened. */
  charged: number;
  chargedMaybe: number;
  /** Version to content. */
  readonly written: Map<number, string>;
};

export class Load {
  readonly #books: Books = {
    notes: new Map(),
    enqueued: new Set(),
    completed: new Set(),
    sent: new Set(),
    acknowledged: new Set(),
    charged: 0,
    chargedMaybe: 0,
    written: new Map(),
  };
  readonly #pids: readonly number[];
  #next = 0;

  private constructor(pids: readonly number[]) {
    this.#pids = pids;
  }

  /** Makes the processes that everything is about. */
  static async begin(client: Client, count: number): Promise<Load> {
    const pids: number[] = [];
    for (let index = 0; index < count; index++) {
      const { pid } = await client.call('kernel.agent.create', { name: `torture-${index}`, template: 'torture' });
      await client.call('kernel.mbox.create', { pid, queue_size: 100_000 });
      await client.call('kernel.ledger.create', { pid, grants: { tool_calls: 1_000_000_000 } });
      pids.push(pid);
    }
    return new Load(pids);
  }

  get acknowledged(): number {
    const { notes, enqueued, completed, sent, acknowledged, charged, written } = this.#books;
    return notes.size + enqueued.size + completed.size + sent.size + acknowledged.size + charged + written.size;
  }

  /** Every process does its work until the daemon is gone. */
  async run(client: Client): Promise<void> {
    const works = [this.#note, this.#queue, this.#mail, this.#charge, this.#write];
    await Promise.all(
      this.#pids.flatMap((pid) =>
        works.map(async (work) => {
          while (await survives(() => work.call(this, client, pid)));
        }),
      ),
    );
  }

  async #note(client: Client, pid: number): Promise<void> {
    const note = this.#next++;
    const { event_id } = await client.call('kernel.events.append', { pid, kind: EVENT_KIND, payload: { note } });
    this.#books.notes.set(event_id, note);
  }

  async #queue(client: Client, pid: number): Promise<void> {
    const { sched_id } = await client.call('queue.enqueue', { pid });
    this.#books.enqueued.add(sched_id);
    const { claims } = await client.call('queue.claim', { worker_id: 'torture', max_n: 2, lease_ms: 1_000 });
    for (const { entry, fence } of claims) {
      await client.call('queue.complete', { sched_id: entry.sched_id, fence, exit_kind: 'completed' });
      this.#books.completed.add(entry.sched_id);
    }
  }

  async #mail(client: Client, pid: number): Promise<void> {
    const { msg_id } = await client.call('mail.send', { recipient_pid: pid, kind: 'torture', payload: { pid } });
    this.#books.sent.add(msg_id);
    const { messages } = await client.call('mail.receive', { pid, limit: 3, visibility_ms: 1_000 });
    const ids = messages.map((message) => message.msg_id);
    for (const id of ids) assert(!this.#books.acknowledged.has(id), `message ${id} came again after it was acknowledged`);
    await client.call('mail.ack', { pid, msg_ids: ids });
    for (const id of ids) this.#books.acknowledged.add(id);
  }

  async #charge(client: Client, pid: number): Promise<void> {
    this.#books.chargedMaybe++;
    await client.call('kernel.ledger.charge', { pid, dim: 'tool_calls', amount: 1 });
    this.#books.charged++;
  }

  async #write(client: Client, pid: number): Promise<void> {
    if (pid !== this.#pids[0]) return await this.#note(client, pid); // One file, so that its versions are one row of numbers.
    const text = `note ${this.#next++}`;
    const { version } = await client.call('file.write', { pid, path: '/memory/torture', content: Buffer.from(text).toString('base64') });
    this.#books.written.set(version, text);
  }

  /** After a start: all that was acknowledged is there, nothing twice. */
  async check(client: Client): Promise<void> {
    await this.#checkEvents(client);
    await this.#checkQueue(client);
    await this.#checkLedger(client);
    await this.#checkFile(client);
  }

  async #checkEvents(client: Client): Promise<void> {
    const notes = new Map<number, number>();
    const seen = new Set<number>();
    for (let since = 0; ; ) {
      const page = await client.call('kernel.events.tail', { kind: EVENT_KIND, since_event_id: since, limit: 10_000 });
      for (const event of page.events) {
        const note = Number(event.payload['note']);
        assert(!seen.has(note), `note ${note} was written twice`);
        seen.add(note);
        notes.set(event.event_id, note);
      }
      if (page.events.length === 0) break;
      since = page.next_cursor;
    }
    for (const [id, note] of this.#books.notes) assert.equal(notes.get(id), note, `event ${id} was acknowledged`);
  }

  async #checkQueue(client: Client): Promise<void> {
    const completions = new Map<number, number>();
    for (let since = 0; ; ) {
      const page = await client.call('kernel.events.tail', { kind: 'kernel.queue.completed', since_event_id: since, limit: 10_000 });
      for (const { payload } of page.events) {
        const id = Number(payload['sched_id']);
        completions.set(id, (completions.get(id) ?? 0) + 1);
      }
      if (page.events.length === 0) break;
      since = page.next_cursor;
    }
    for (const [id, count] of completions) assert.equal(count, 1, `entry ${id} was completed ${count} times`);
    for (const id of this.#books.completed) assert.equal(completions.get(id), 1, `the completion of entry ${id} was acknowledged`);
    const states = new Map<number, string>();
    for (let offset = 0; ; offset += 10_000) {
      const { entries } = await client.call('kernel.sched.list', { limit: 10_000, offset });
      for (const entry of entries) states.set(entry.sched_id, entry.state);
      if (entries.length === 0) break;
    }
    for (const id of this.#books.enqueued) assert(states.has(id), `entry ${id} was acknowledged`);
    for (const [id, state] of states) assert.equal(state === 'completed', completions.has(id), `entry ${id} is ${state}`);
  }

  async #checkLedger(client: Client): Promise<void> {
    let used = 0;
    for (const pid of this.#pids) used += (await client.call('kernel.ledger.get', { pid })).entries[0]?.used ?? 0;
    assert(used >= this.#books.charged && used <= this.#books.chargedMaybe, `${used} used, ${this.#books.charged} acknowledged`);
  }

  async #checkFile(client: Client): Promise<void> {
    const newest = [...this.#books.written.keys()].toSorted((one, other) => other - one).slice(0, 20);
    for (const version of newest) {
      const { content } = await client.call('file.read', { path: '/memory/torture', version });
      assert.equal(Buffer.from(content, 'base64').toString(), this.#books.written.get(version), `version ${version} was acknowledged`);
    }
  }
}

/** False when the daemon went away under it. Other faults are the load's own doing or a defect. */
async function survives(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (GONE.some((code) => isFault(error, code))) return false;
    // A lease that ran out while the daemon was down, and work that somebody else has completed meanwhile.
    if (isFault(error, 'lease_lost') || isFault(error, 'queue_illegal_transition')) return true;
    throw error;
  }
}

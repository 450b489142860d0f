import { type Cursor, formatCursor } from './cursor.ts';

/** Events that a follower has not seen and that are no longer kept, as it goes out: whatever types are followed, this is told. */
export class Gap {
  /** What it has seen last, and what it can go on after. */
  readonly #after: Cursor;
  readonly #oldest: Cursor;

  constructor(after: Cursor, oldest: Cursor) {
    this.#after = after;
    this.#oldest = oldest;
  }

  /** As a server-sent event. */
  get frame(): string {
    return `id: ${formatCursor(this.#oldest)}\nevent: gap\ndata: ${JSON.stringify(this.#data)}\n\n`;
  }

  /** As a message of a WebSocket. */
  get message(): Buffer {
    return Buffer.from(JSON.stringify({ id: formatCursor(this.#oldest), ...this.#data }));
  }

  get #data() {
    return { type: 'gap', data: { after: formatCursor(this.#after), oldest: formatCursor(this.#oldest) } };
  }
}

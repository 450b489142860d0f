import type { SupervisionEvent } from '@warren/protocol';
import { type Cursor, formatCursor } from './cursor.ts';

/** Something that happened, as it goes out: made into bytes once, however many follow. */
export class Told {
  readonly event: SupervisionEvent;
  readonly cursor: Cursor;
  #frame: Buffer | undefined;
  #message: Buffer | undefined;

  constructor(event: SupervisionEvent, cursor: Cursor) {
    this.event = event;
    this.cursor = cursor;
  }

  /** As a server-sent event. */
  get frame(): Buffer {
    const { type } = this.event;
    this.#frame ??= Buffer.from(`id: ${formatCursor(this.cursor)}\nevent: ${type}\ndata: ${JSON.stringify(this.event)}\n\n`);
    return this.#frame;
  }

  /** As a message of a WebSocket. */
  get message(): Buffer {
    this.#message ??= Buffer.from(JSON.stringify({ id: formatCursor(this.cursor), ...this.event }));
    return this.#message;
  }
}

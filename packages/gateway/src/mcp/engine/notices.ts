/**
 * Changes on their way to a client. What it needs to know is that something changed, not how often: so each kind waits at most once, however long the client
 * takes nothing.
 */
import type { JsonObject } from '@warren/protocol';
import type { HostChange, McpHost } from '../host.ts';

/** Changes that come close together are one. */
const GATHER_MS = 20;

export type NoticesParts = {
  readonly host: McpHost;
  readonly isWanted: (change: HostChange) => boolean;
  /** False: not now; `ready` says when. */
  readonly send: (method: string, params: JsonObject | undefined) => boolean;
};

export class Notices implements Disposable {
  readonly #parts: NoticesParts;
  readonly #lease: Disposable;
  /** By method and URI. */
  readonly #waiting = new Map<string, { readonly method: string; readonly params: JsonObject | undefined }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: NoticesParts) {
    this.#parts = parts;
    this.#lease = parts.host.onChanged((change) => this.#add(change));
  }

  /** There is somebody to send to, again. */
  ready(): void {
    if (this.#waiting.size > 0 && this.#timer === undefined) this.#send();
  }

  [Symbol.dispose](): void {
    this.#lease[Symbol.dispose]();
    clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  #add(change: HostChange): void {
    if (!this.#parts.isWanted(change)) return;
    if (change.kind === 'resource') {
      const { uri } = change;
      this.#waiting.set(`resource ${uri}`, { method: 'notifications/resources/updated', params: { uri } });
    } else this.#waiting.set(change.kind, { method: `notifications/${change.kind}/list_changed`, params: undefined });
    this.#timer ??= setTimeout(() => this.#send(), GATHER_MS).unref();
  }

  #send(): void {
    this.#timer = undefined;
    for (const [key, { method, params }] of this.#waiting) {
      if (!this.#parts.send(method, params)) return;
      this.#waiting.delete(key);
    }
  }
}

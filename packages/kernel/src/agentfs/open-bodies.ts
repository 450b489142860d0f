/** Large bodies that somebody reads or writes right now. Only this process knows; after its end nobody does, and that is right. */
import { Fault } from '@warren/protocol';

/** Each has a buffer, and may take as much of the disk as the workspace has left. */
export const UPLOADS_MAX = 16;
export const READERS_MAX = 256;

/** Let go of once; again does nothing. */
export type Hold = Disposable;

export class OpenBodies {
  readonly #holds = new Map<number, number>();
  #uploads = 0;
  #readers = 0;
  #starting = 0;
  /** Bytes on disk of bodies that are not complete, which the usage of the workspace does not have yet. */
  uploadedBytes = 0;

  /** Whether it must stay although nothing names it. */
  has(body: number): boolean {
    return this.#holds.has(body);
  }

  /** Whether there may be a body that an upload has just made and does not hold yet. */
  get isStarting(): boolean {
    return this.#starting > 0;
  }

  hold(body: number): Hold {
    this.#holds.set(body, (this.#holds.get(body) ?? 0) + 1);
    return once(() => {
      const left = (this.#holds.get(body) ?? 1) - 1;
      if (left === 0) this.#holds.delete(body);
      else this.#holds.set(body, left);
    });
  }

  /** Holds it for a reader. Throws `busy`. */
  read(body: number): Hold {
    if (this.#readers >= READERS_MAX) throw busy('read', this.#readers, READERS_MAX);
    this.#readers++;
    const hold = this.hold(body);
    return once(() => {
      this.#readers--;
      hold[Symbol.dispose]();
    });
  }

  /** A place for an upload. Throws `busy`. */
  upload(): Hold {
    if (this.#uploads >= UPLOADS_MAX) throw busy('write', this.#uploads, UPLOADS_MAX);
    this.#uploads++;
    return once(() => {
      this.#uploads--;
    });
  }

  /** From before a body is made until it is held. */
  start(): Hold {
    this.#starting++;
    return once(() => {
      this.#starting--;
    });
  }
}

function once(release: () => void): Hold {
  let isHeld = true;
  return {
    [Symbol.dispose]() {
      if (!isHeld) return;
      isHeld = false;
      release();
    },
  };
}

function busy(action: string, open: number, limit: number): Fault {
  return new Fault('busy', `Cannot ${action} another large body: ${open} are open in this workspace, the limit is ${limit}`);
}

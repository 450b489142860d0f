/**
 * The delays of signing in over a restart: in a file, written when the daemon ends and, while somebody guesses, every few seconds. After a crash
 * what was guessed since the last writing is forgotten; a file that is not there or is damaged means that nobody waits.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { SignInDelays } from './sign-in-delays.ts';

const WRITTEN_EVERY_MS = 5_000;
const FILE_BYTES_MAX = 4 * 2 ** 20;

const delay = z.object({
  key: z.string().max(64),
  count: z.int().min(1).max(1_000_000),
  agoMs: z.number().min(0),
  waitMs: z.number().min(0),
});
const delays = z.array(delay).max(4_096);
const kept = z.object({
  written_at: z.number(),
  names: delays,
  networks: delays,
  pairs: delays,
  known: z.array(z.string().max(64)).max(4_096),
});

export class DelayFile {
  readonly #path: string;
  readonly #delays: SignInDelays;
  readonly #now: () => number;
  #writtenAt = Number.NEGATIVE_INFINITY;

  /** `now` gives milliseconds since 1970. */
  constructor(path: string, signIns: SignInDelays, now: () => number = Date.now) {
    this.#path = path;
    this.#delays = signIns;
    this.#now = now;
    this.#restore();
  }

  /** Somebody guessed. */
  note(): void {
    if (this.#now() - this.#writtenAt >= WRITTEN_EVERY_MS) this.write();
  }

  /** Never throws: what cannot be kept is kept in memory. */
  write(): void {
    this.#writtenAt = this.#now();
    const kept = this.#delays.kept();
    if (Object.values(kept).every((each) => each.length === 0)) {
      rmSync(this.#path, { force: true });
      return;
    }
    const made = `${this.#path}.${randomBytes(6).toString('hex')}`;
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      writeFileSync(made, JSON.stringify({ written_at: this.#now(), ...kept }), { flag: 'wx', mode: 0o600 });
      renameSync(made, this.#path);
    } catch {
      rmSync(made, { force: true });
    }
  }

  #restore(): void {
    try {
      const text = readFileSync(this.#path, 'utf8');
      if (text.length > FILE_BYTES_MAX) return;
      const { written_at, ...rest } = kept.parse(JSON.parse(text));
      // A clock that was set back shortens nothing.
      this.#delays.restore(rest, Math.max(0, this.#now() - written_at));
    } catch {
      // There is none, or it is none of ours.
    }
  }
}

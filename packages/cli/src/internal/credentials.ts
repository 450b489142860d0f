/**
 * What `warren login` keeps: for each server a token and, where it is known by that, its certificate. It stands in the configuration directory of the user, readable
 * by nobody else; a file that others can read or write is not used.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Fault, isFault } from '@warren/protocol';
import type { Host } from './host.ts';
import { takeLockFile } from './take-lock-file.ts';

export type Credential = { readonly token: string; readonly fingerprint?: string };

const FILE = 'credentials.json';
const BYTES_MAX = 1_048_576;
const OTHERS = 0o077;
/** What the system says of a place that may not be used, or is none. */
const REFUSALS: readonly string[] = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'];

export class Credentials {
  readonly #directory: string;

  constructor({ env }: Pick<Host, 'env'>) {
    const { XDG_CONFIG_HOME: config = '', HOME: home = '' } = env;
    this.#directory = join(config.startsWith('/') ? config : join(home === '' ? homedir() : home, '.config'), 'warren');
  }

  get path(): string {
    return join(this.#directory, FILE);
  }

  find(server: string): Credential | undefined {
    return this.#read().get(server);
  }

  /** Throws `busy` when others write it all the time, `permission_denied` when it may not be written. */
  async save(server: string, credential: Credential, signal: AbortSignal): Promise<void> {
    await this.#change((all) => all.set(server, credential), signal);
  }

  /** What is not there is not removed. Throws as `save`. */
  async remove(server: string, signal: AbortSignal): Promise<void> {
    if (this.find(server) !== undefined) await this.#change((all) => all.delete(server), signal);
  }

  /** Alone: what another command writes at the same time is not lost. */
  async #change(change: (all: Map<string, Credential>) => void, signal: AbortSignal): Promise<void> {
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      using _lock = await takeLockFile(`${this.path}.lock`, signal);
      const all = new Map(this.#read());
      change(all);
      this.#write(all);
    } catch (error) {
      const errno = error instanceof Error && 'code' in error && !isFault(error) ? String(error.code) : '';
      if (!REFUSALS.includes(errno)) throw error;
      throw new Fault('permission_denied', `Cannot write ${this.path}: ${errno}`, {
        details: { path: this.path, errno, fix: 'set XDG_CONFIG_HOME to a directory you can write' },
        cause: error,
      });
    }
  }

  #read(): ReadonlyMap<string, Credential> {
    const text = this.#readText();
    if (text === undefined) return new Map();
    try {
      const { servers } = JSON.parse(text) as { readonly servers: Readonly<Record<string, Credential>> }; // Checked below.
      const all = Object.entries(servers);
      if (all.every(([, { token, fingerprint = '' }]) => typeof token === 'string' && typeof fingerprint === 'string')) return new Map(all);
    } catch {
      // Then it is none of ours, which is said here, and nothing of what is in it.
    }
    throw this.#unusable('it is not what `warren login` writes', `rm ${this.path}, and log in again`);
  }

  #readText(): string | undefined {
    let file: number;
    try {
      file = openSync(this.path, 'r');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw this.#unreadable(error);
    }
    try {
      const { mode, uid, size } = fstatSync(file);
      if ((mode & OTHERS) !== 0) throw this.#unusable('others may read or write it', `chmod 600 ${this.path}`);
      if (uid !== process.getuid?.()) throw this.#unusable('it belongs to another user', `rm ${this.path}, and log in again`);
      if (size > BYTES_MAX) throw this.#unusable('it is too large', `rm ${this.path}, and log in again`);
      return readFileSync(file, 'utf8');
    } finally {
      closeSync(file);
    }
  }

  /** All of it or nothing. */
  #write(all: ReadonlyMap<string, Credential>): void {
    const made = `${this.path}.${randomBytes(6).toString('hex')}`;
    try {
      const file = openSync(made, 'wx', 0o600);
      try {
        writeFileSync(file, `${JSON.stringify({ servers: Object.fromEntries(all) }, undefined, 2)}\n`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(made, this.path);
    } finally {
      rmSync(made, { force: true });
    }
  }

  #unreadable(error: unknown): unknown {
    const errno = error instanceof Error && 'code' in error ? String(error.code) : '';
    return REFUSALS.includes(errno) ? this.#unusable(errno, `chmod 600 ${this.path}`) : error;
  }

  #unusable(why: string, fix: string): Fault {
    return new Fault('permission_denied', `Cannot use ${this.path}: ${why}`, { details: { path: this.path, fix } });
  }
}

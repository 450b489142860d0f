/**
 * What somebody logged in with for a mounted server, in `<state>/mcp-logins/<server>.json`, mode 0600, written in one piece. It is for the address it was given for: a server of
 * the same name elsewhere gets none of it.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '../capability/compile-field.ts';

export type StoredLogin = {
  readonly url: string;
  /** Where the browser came back to, of which the authorization server was told. */
  readonly redirect: string;
  /** What the library gave us to keep, as it gave it. */
  readonly client?: unknown;
  readonly tokens?: unknown;
  readonly discovery?: unknown;
};

export class LoginStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Undefined when there is none for this address, or what is there is none. */
  async read(server: string, url: string): Promise<StoredLogin | undefined> {
    try {
      const found: unknown = JSON.parse(await readFile(this.#file(server), 'utf8'));
      if (!isObject(found) || found['url'] !== url || typeof found['redirect'] !== 'string') return undefined;
      return { ...found, url, redirect: found['redirect'] };
    } catch (error) {
      if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // What readFile throws has a code.
      throw error;
    }
  }

  async write(server: string, login: StoredLogin): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const staged = `${this.#file(server)}.new`;
    await writeFile(staged, `${JSON.stringify(login)}\n`, { mode: 0o600, flush: true });
    await rename(staged, this.#file(server));
  }

  async remove(server: string): Promise<void> {
    await rm(this.#file(server), { force: true });
  }

  #file(server: string): string {
    return join(this.#folder, `${server}.json`);
  }
}

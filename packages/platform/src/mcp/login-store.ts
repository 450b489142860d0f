/**
 * What somebody logged in with for a mounted server, in `<state>/mcp-logins/<server>.json`, mode 0600, written in one piece. It is for the address it was given for: a server of
 * the same name elsewhere gets none of it.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '../capability/compile-field.ts';

export type StoredLogin = {
  readonly url: string;
  /** Where the browser came back to, of which the authorization server was told. */
  readonly redirect: string;
  /** What was asked for. */
  readonly scope?: string | undefined;
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
      const scope = typeof found['scope'] === 'string' ? found['scope'] : undefined;
      return { ...found, url, redirect: found['redirect'], scope };
    } catch (error) {
      if (error instanceof SyntaxError || isMissing(error)) return undefined;
      throw error;
    }
  }

  async write(server: string, login: StoredLogin): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const staged = join(this.#folder, `${server}.${randomBytes(8).toString('hex')}.new`);
    try {
      await writeFile(staged, `${JSON.stringify(login)}\n`, { mode: 0o600, flag: 'wx', flush: true });
      await rename(staged, this.#file(server));
    } catch (error) {
      await rm(staged, { force: true });
      throw error;
    }
  }

  /** Also what an end of the daemon left half written. Whether there was anything. */
  async remove(server: string): Promise<boolean> {
    const files = (await this.#list()).filter((file) => file.startsWith(`${server}.`)); // No name of a server has a dot.
    await Promise.all(files.map((file) => rm(join(this.#folder, file), { force: true })));
    return files.length > 0;
  }

  async #list(): Promise<readonly string[]> {
    try {
      return await readdir(this.#folder);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  #file(server: string): string {
    return join(this.#folder, `${server}.json`);
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'; // What node:fs throws has a code.
}

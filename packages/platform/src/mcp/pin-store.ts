/**
 * What was approved of each server: its list of tools, whole, in `<state>/mcp-pins/<server>.json`. Written in one piece; one that cannot be read is none, so the server's tools are there only
 * when somebody has approved them again.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '../capability/compile-field.ts';
import { type ForeignTool, readToolList, type ToolList } from './tool-list.ts';

export type Pin = ToolList & {
  /** Names of tools whose calls change nothing, by the word of who approved. */
  readonly reads: readonly string[];
  /** Milliseconds since 1970. */
  readonly approvedAt: number;
};

export class PinStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async read(server: string): Promise<Pin | undefined> {
    let text: string;
    try {
      text = await readFile(this.#file(server), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // What readFile throws has a code.
      throw error;
    }
    return parsePin(server, text);
  }

  async write(server: string, pin: Pin): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const staged = `${this.#file(server)}.new`;
    const { hash, reads, approvedAt, tools } = pin;
    await writeFile(staged, `${JSON.stringify({ hash, reads, approved_at: approvedAt, tools })}\n`, { mode: 0o600, flush: true });
    await rename(staged, this.#file(server));
  }

  /** Whether there was one. */
  async remove(server: string): Promise<boolean> {
    const found = await this.read(server);
    await rm(this.#file(server), { force: true });
    return found !== undefined;
  }

  #file(server: string): string {
    return join(this.#folder, `${server}.json`);
  }
}

/** The hash is computed anew: a file that somebody edited is not what was approved. */
function parsePin(server: string, text: string): Pin | undefined {
  try {
    const said: unknown = JSON.parse(text);
    if (!isObject(said) || !Array.isArray(said['tools']) || !Array.isArray(said['reads'])) return undefined;
    const { approved_at: approvedAt, reads, hash } = said;
    const list = readToolList(server, said['tools'] as readonly ForeignTool[]); // It checks them.
    if (list.hash !== hash || typeof approvedAt !== 'number') return undefined;
    return { ...list, reads: reads.filter((each) => typeof each === 'string'), approvedAt };
  } catch {
    return undefined; // What is no pin approves nothing.
  }
}

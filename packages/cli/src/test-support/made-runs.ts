/** Runs without sandboxes: a real run store, whose layers are written by the test instead of by an overlay. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Exit, type OpaqueProbe, RunStore } from '@warren/sandbox';
import { TemporaryDirectory } from '@warren/testkit';
import { USAGE } from './fake-sandboxes.ts';

export class MadeRuns implements AsyncDisposable {
  readonly #temporary: TemporaryDirectory;
  /** The directory that runs work on. */
  readonly directory: string;
  readonly store: RunStore;
  /** No directory of a layer hides the one below it. */
  readonly probe: OpaqueProbe = async (directories) => directories.map(() => false);
  nowMs = Date.parse('2026-01-02T03:04:05Z');

  private constructor(temporary: TemporaryDirectory) {
    this.#temporary = temporary;
    this.directory = temporary.join('work');
    this.store = RunStore.open({ stateDirectory: temporary.join('state'), now: () => this.nowMs });
  }

  static async create(): Promise<MadeRuns> {
    const temporary = await TemporaryDirectory.create();
    await mkdir(temporary.join('work'));
    return new MadeRuns(temporary);
  }

  /** A run that wrote these files and ended well, or as told. Gives its id. */
  async add(
    files: Readonly<Record<string, string>>,
    options: { readonly exit?: Exit; readonly command?: readonly string[]; readonly directory?: string; readonly crashed?: boolean } = {},
  ): Promise<string> {
    this.nowMs += 1_000; // Ids and lists go by time.
    const request = { command: options.command ?? ['make'], directory: options.directory ?? this.directory, profile: 'moderate' } as const;
    const held = await this.store.openRun(request);
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(held.paths.upper, name)), { recursive: true });
      await writeFile(join(held.paths.upper, name), content);
    }
    if (options.crashed === true) held[Symbol.dispose]();
    else
      await this.store.closeRun(held, {
        probe: this.probe,
        exit: options.exit ?? { kind: 'exited', code: 0, usage: USAGE, limitsHit: [] },
      });
    return held.record.id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#temporary[Symbol.asyncDispose]();
  }
}

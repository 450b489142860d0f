import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { TemporaryDirectory } from '@warren/testkit';
import type { HeldRun } from '../held-run.ts';
import type { RunId } from '../run-id.ts';
import { runPaths } from '../run-paths.ts';
import { RunStore } from '../run-store.ts';
import { type Edit, OverlayHelper, type Snapshot } from './overlay-helper.ts';

/** A directory of the host, a state directory, and a helper, in one temporary place. */
export class LayerFixture implements AsyncDisposable {
  readonly helper: OverlayHelper = new OverlayHelper();
  readonly store: RunStore;
  /** The host's directory. */
  readonly directory: string;
  readonly stateDirectory: string;
  readonly #temporary: TemporaryDirectory;
  readonly #removed: string | undefined;

  private constructor(temporary: TemporaryDirectory, elsewhere: string | undefined) {
    this.#temporary = temporary;
    this.#removed = elsewhere === undefined ? undefined : mkdtempSync(join(elsewhere, 'warren-test-'));
    this.stateDirectory = join(this.#removed ?? temporary.path, 'state');
    this.directory = temporary.join('project');
    mkdirSync(this.directory);
    mkdirSync(temporary.join('merged'));
    this.store = RunStore.open({ stateDirectory: this.stateDirectory });
  }

  /** The state may lie in another file system. */
  static async create(elsewhere?: string): Promise<LayerFixture> {
    return new LayerFixture(await TemporaryDirectory.create(), elsewhere);
  }

  join(...names: readonly string[]): string {
    return this.#temporary.join(...names);
  }

  get probe(): OverlayHelper['probe'] {
    return this.helper.probe;
  }

  async build(edits: readonly Edit[], directory: string = this.directory): Promise<void> {
    await this.helper.build(directory, edits);
  }

  async snapshot(directory: string = this.directory): Promise<Snapshot> {
    return await this.helper.snapshot(directory);
  }

  async openRun(directory: string = this.directory): Promise<HeldRun> {
    return await this.store.openRun({ command: ['true'], directory, profile: 'moderate' });
  }

  /** A run that made these edits and has ended. Gives what it saw in the end. */
  async run(edits: readonly Edit[], directory: string = this.directory): Promise<{ readonly id: RunId; readonly merged: Snapshot }> {
    const held = await this.openRun(directory);
    const merged = await this.edit(held.record.id, edits, directory);
    await this.store.closeRun(held, { exit: { kind: 'exited', code: 0 }, probe: this.probe });
    return { id: held.record.id, merged };
  }

  /** Edits through the overlay of a run. */
  async edit(id: RunId, edits: readonly Edit[], directory: string = this.directory): Promise<Snapshot> {
    const { upper, work } = runPaths(this.store.pathOf(id));
    return await this.helper.overlay({ lower: directory, upper, work, merged: this.join('merged'), edits });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.helper.removeDeep(this.#temporary.path);
    await this.helper[Symbol.asyncDispose]();
    await this.#temporary[Symbol.asyncDispose]();
    if (this.#removed !== undefined) rmSync(this.#removed, { recursive: true, force: true });
  }
}

let problem: Promise<string | undefined> | undefined;

/** Why overlays cannot be mounted here; `undefined`: they can. Tried once for each test file. */
export function overlayProblem(): Promise<string | undefined> {
  problem ??= tryOverlay();
  return problem;
}

async function tryOverlay(): Promise<string | undefined> {
  await using temporary = await TemporaryDirectory.create();
  await using helper = new OverlayHelper();
  const [lower = '', upper = '', work = '', merged = ''] = ['lower', 'upper', 'work', 'merged'].map((name) => temporary.join(name));
  for (const path of [lower, upper, work, merged]) mkdirSync(path);
  return await helper.overlayProblem({ lower, upper, work, merged });
}

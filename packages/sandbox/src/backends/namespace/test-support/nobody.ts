/** A user without rights, for tests that root runs. It needs no entry of its own anywhere: 65534 is "nobody" on every Linux, and owns nothing. */
import { chmodSync, copyFileSync } from 'node:fs';
import { TemporaryDirectory } from '@warren/testkit';
import { findLauncher } from '../open-sandboxes.ts';

export const NOBODY = 65_534;

/** A directory that everybody may look into, with a copy of the launcher: a checkout may lie where only root can look. */
export class PublicLauncher implements AsyncDisposable {
  readonly path: string;
  readonly #directory: TemporaryDirectory;

  private constructor(directory: TemporaryDirectory) {
    this.#directory = directory;
    this.path = directory.join('warren-launcher');
  }

  static async create(): Promise<PublicLauncher> {
    const directory = await TemporaryDirectory.create();
    const launcher = new PublicLauncher(directory);
    chmodSync(directory.path, 0o755);
    copyFileSync(findLauncher(), launcher.path);
    chmodSync(launcher.path, 0o755);
    return launcher;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
  }
}

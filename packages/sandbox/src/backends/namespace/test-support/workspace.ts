/** Directories of the host for tests: a workspace with an owner of its own, and the layer of an overlay. */
import { chownSync, mkdirSync } from 'node:fs';
import { TemporaryDirectory } from '@warren/testkit';
import type { WorkspaceMount } from '../../../contract.ts';

export class TestWorkspace implements AsyncDisposable {
  readonly directory: string;
  readonly layer: string;
  readonly #temporary: TemporaryDirectory;

  private constructor(temporary: TemporaryDirectory) {
    this.#temporary = temporary;
    this.directory = temporary.join('workspace');
    this.layer = temporary.join('layer');
  }

  /** `owner`: as root, who the workspace belongs to. */
  static async create(owner?: number): Promise<TestWorkspace> {
    const workspace = new TestWorkspace(await TemporaryDirectory.create());
    for (const path of [workspace.directory, workspace.layer]) mkdirSync(path);
    if (owner !== undefined) chownSync(workspace.directory, owner, owner);
    return workspace;
  }

  /** A path on the host inside the workspace. */
  join(...names: readonly string[]): string {
    return [this.directory, ...names].join('/');
  }

  mount(kind: WorkspaceMount['kind']): WorkspaceMount {
    return kind === 'overlay' ? { kind, directory: this.directory, layer: this.layer } : { kind, directory: this.directory };
  }

  /** Also the directory beside which a test may put files. */
  beside(...names: readonly string[]): string {
    return this.#temporary.join(...names);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#temporary[Symbol.asyncDispose]();
  }
}

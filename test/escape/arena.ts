/** Where attempts are made: sandboxes with the same walls, the canaries on the host, and the attack program inside. */
import { chmodSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFault } from '@warren/protocol';
import { type Completed, type Exit, openSandboxes, type RunOptions, type Sandbox, type Sandboxes, type SandboxSpec } from '@warren/sandbox';
import { openWeakenedSandboxes, type RemovableWall } from '@warren/sandbox/testing';
import { TemporaryDirectory } from '@warren/testkit';
import { buildAttack } from './build-attack.ts';
import { CANARY_MOUNT, Canaries } from './canaries.ts';
import { findInit, heldNames, launchersOf } from './host-processes.ts';
import type { TestedProfile, User } from './setting.ts';

export const ATTACK = '/opt/attack/attack';
const ROOT = { uid: 0, gid: 0 } as const;
const RUN_MS = 60_000;

/** The canaries and the program, for as many arenas as one likes. */
export class Ground implements AsyncDisposable {
  readonly attackDirectory: string;
  readonly canaries: Canaries;

  private constructor(attackDirectory: string, canaries: Canaries) {
    this.attackDirectory = attackDirectory;
    this.canaries = canaries;
  }

  static async open(): Promise<Ground> {
    const attackDirectory = buildAttack();
    return new Ground(attackDirectory, await Canaries.open(attackDirectory));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.canaries[Symbol.asyncDispose]();
  }
}

export class Arena implements AsyncDisposable {
  readonly ground: Ground;
  readonly without: readonly RemovableWall[];
  readonly sandboxes: Sandboxes;
  readonly #directories: TemporaryDirectory[] = [];

  private constructor(ground: Ground, without: readonly RemovableWall[], sandboxes: Sandboxes) {
    this.ground = ground;
    this.without = without;
    this.sandboxes = sandboxes;
  }

  /** Without these walls; the ground stays the caller's. */
  static async open(ground: Ground, without: readonly RemovableWall[] = []): Promise<Arena> {
    const sandboxes = without.length === 0 ? await openSandboxes() : await openWeakenedSandboxes(without);
    return new Arena(ground, without, sandboxes);
  }

  /** Another launcher with the same walls, for attempts that end theirs. */
  again(): Promise<Arena> {
    return Arena.open(this.ground, this.without);
  }

  /** The caller owns the result. The attack program and the canaries' directory are mounted read-only. */
  start(spec: SandboxSpec = {}): Promise<Sandbox> {
    const mounts = [
      { source: this.ground.attackDirectory, target: '/opt/attack' },
      { source: this.ground.canaries.mountDirectory, target: CANARY_MOUNT },
      ...(spec.mounts ?? []),
    ];
    return this.sandboxes.start({ ...spec, mounts });
  }

  /** The sandbox many attempts share: with an overlay as its workspace. */
  async startShared(profile: TestedProfile): Promise<Sandbox> {
    // Without the user namespace nobody could be given the workspace.
    if (this.without.includes('user')) return this.start({ profile });
    const { directory, layer } = await this.workspace({ 'lower.txt': 'lower' });
    return this.start({ profile, workspace: { kind: 'overlay', directory, layer } });
  }

  /** A directory of the host with these files, and another for the layer; both go with the arena. */
  async workspace(files: Readonly<Record<string, string>>): Promise<{ readonly directory: string; readonly layer: string }> {
    const temporary = await this.temporaryDirectory();
    const directory = join(temporary, 'files');
    const layer = join(temporary, 'layer');
    await mkdir(directory);
    await mkdir(layer);
    for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
    return { directory, layer };
  }

  async temporaryDirectory(): Promise<string> {
    const temporary = await TemporaryDirectory.create();
    this.#directories.push(temporary);
    return temporary.path;
  }

  run(sandbox: Sandbox, argv: readonly string[], options: RunOptions = {}): Promise<Completed> {
    return sandbox.run(argv, { timeoutMs: RUN_MS, ...options });
  }

  /** What a shell script prints, without the last newline. */
  async script(sandbox: Sandbox, script: string, options: RunOptions = {}): Promise<string> {
    const { stdout } = await this.run(sandbox, ['/bin/sh', '-c', script], options);
    return text(stdout);
  }

  /** Options that make somebody inside the user that pid 1 is. */
  get asInit(): { readonly user?: { readonly uid: number; readonly gid: number } } {
    return this.sandboxes.capabilities.users === 'range' ? { user: ROOT } : {};
  }

  /** Makes attempts of the program one after the other; answers by name. */
  async attack(sandbox: Sandbox, names: readonly string[], options: AttackOptions = {}): Promise<ReadonlyMap<string, string>> {
    const completed = await this.run(sandbox, [ATTACK, ...names], this.#attackOptions(options));
    const lines = text(completed.stdout).split(/\r?\n/);
    const answers = new Map<string, string>();
    for (const line of lines) {
      const space = line.indexOf(' ');
      if (space > 0) answers.set(line.slice(0, space), line.slice(space + 1));
    }
    for (const name of names) if (!answers.has(name)) answers.set(name, `inconclusive ${endOf(completed.exit)} ${text(completed.stderr)}`);
    return answers;
  }

  /** Makes one attempt as the command itself, so that what ends it shows in the exit. */
  async attackDirectly(sandbox: Sandbox, name: string, options: AttackOptions = {}): Promise<string> {
    const { exit, stdout } = await this.run(sandbox, [ATTACK, '--direct', name], this.#attackOptions(options));
    if (exit.kind === 'stopped') return `refused by ${exit.by}`;
    const limits = exit.kind === 'not_started' || exit.limitsHit.length === 0 ? '' : `, limit ${exit.limitsHit.join(' ')}`;
    return `${text(stdout) || `inconclusive ${endOf(exit)}`}${limits}`;
  }

  /** Pid 1 of a sandbox as the host sees it; `undefined` where it has no pid namespace. */
  async initOf(sandbox: Sandbox): Promise<number | undefined> {
    return findInit(await this.script(sandbox, 'readlink /proc/self/ns/pid'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sandboxes[Symbol.asyncDispose]();
    for (const directory of this.#directories.splice(0)) {
      openClosed(directory.path);
      await directory[Symbol.asyncDispose]();
    }
  }

  #attackOptions({ user, env, ...rest }: AttackOptions): RunOptions {
    const names = heldNames(launchersOf(process.pid));
    return {
      cwd: '/', // Root inside has no power to enter the agent's home.
      ...rest,
      ...(user === 'root' ? this.asInit : {}),
      env: {
        ...this.ground.canaries.environment,
        LAUNCHER_SOCKET: names.find((name) => name.startsWith('warren-launcher-')) ?? '',
        LEASE_NAME: names.find((name) => name.startsWith('warren-ids-')) ?? 'warren-ids-none',
        ...env,
      },
    };
  }
}

/** An overlay closes its work directory to everybody but root, so its owner has to open it before it can be removed. */
function openClosed(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const path = join(directory, entry.name);
    chmodSync(path, 0o700);
    openClosed(path);
  }
}

export type AttackOptions = Omit<RunOptions, 'user'> & { readonly user?: User };

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

/** A command's end in a word or two. */
export function endOf(exit: Exit): string {
  switch (exit.kind) {
    case 'exited':
      return `exited ${exit.code}`;
    case 'signalled':
      return `signalled ${exit.signal}`;
    case 'stopped':
      return `stopped by ${exit.by}`;
    case 'not_started':
      return `not started ${exit.errno}`;
  }
}

/** Waits for what the host was asked to do, and says how it was refused: by the code of the fault. */
export async function refusalOf(operation: Promise<unknown>): Promise<string> {
  try {
    await operation;
    return 'succeeded';
  } catch (error) {
    if (!isFault(error)) throw error;
    return error.code === 'not_found' ? 'absent' : `refused ${error.code}`;
  }
}

/** All of a file that the host reads through a sandbox. */
export async function readAll(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

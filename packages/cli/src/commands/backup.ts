/**
 * `warren backup`: the store as it is at one moment, the vault that opens its secrets, and what is configured, in one file. Through the daemon if one runs, so that others go on writing, else from
 * the store itself. The file gets its name when it is whole, and never takes the place of another.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Fault, isFault } from '@warren/protocol';
import { findDaemon } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { interruptible } from '../internal/interruptible.ts';
import { ProgressLine } from '../internal/progress-line.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { requireHere } from '../internal/server-link.ts';
import { shellWord } from '../internal/shell-words.ts';
import { formatSize } from '../internal/size.ts';
import { statePath } from '../internal/state-path.ts';
import { withStoreAdvice } from '../internal/store-advice.ts';
import type { BackupFlags } from '../program/store-commands.ts';

const VAULT_FILE = 'vault.json';
const ATTEMPTS_MAX = 3;

export type BackedUpFile = { readonly path: string; readonly bytes: Uint8Array };
export type BackedUpFiles = {
  readonly files: readonly BackedUpFile[];
  readonly key: 'passphrase' | 'file' | 'systemd' | 'command' | undefined;
  readonly isKeyBeside: boolean;
};

export interface BackupParts {
  /** What stands beside the store. */
  readFiles(stateDirectory: string, options: { readonly withKey: boolean }): Promise<BackedUpFiles>;
  /** Puts them into a copy. */
  addFiles(path: string, files: readonly BackedUpFile[]): Promise<void>;
  /** Copies the store of a state directory that no daemon has open. Throws what opening it throws. */
  backUp(
    stateDirectory: string,
    path: string,
    options: { readonly onProgress: (share: number) => void; readonly signal: AbortSignal },
  ): Promise<void>;
}

export async function backup(file: string, flags: BackupFlags, host: Host, parts: BackupParts): Promise<number> {
  requireHere(flags, host, 'back up the store');
  const stateDirectory = statePath(host, flags.state);
  const path = resolve(host.cwd(), file);
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) throw exists(path);
  requireDirectory(path);
  // Beside it, so that giving it its name is one step.
  const made = `${path}.unfinished-${randomBytes(6).toString('hex')}`;
  return await interruptible(host, async (signal) => {
    try {
      const { from, with_ } = await copyWithFiles(stateDirectory, made, { flags, host, parts, signal });
      finish(made, path);
      const bytes = statSync(path).size;
      const files = with_.files.map((each) => each.path);
      const hasKey = flags.withKey === true;
      if (flags.json === true)
        await host.stdout.write(`${safeJson({ path, bytes, from, files, vault_key: with_.key ?? null, with_key: hasKey }, 2)}\n`);
      else await host.stdout.write(`Backed up ${formatSize(bytes)} to ${safeText(path)}.\n`);
      const advice = adviceOnKey(with_, hasKey, stateDirectory);
      if (advice !== undefined) await host.stderr.write(`warren: ${advice}\n`);
      return 0;
    } finally {
      for (const rest of ['', '-journal', '-wal', '-shm']) rmSync(made + rest, { force: true });
    }
  });
}

/** A vault whose keys were replaced while the store was copied would not open what is in the copy. */
async function copyWithFiles(stateDirectory: string, made: string, copying: Copying) {
  const { parts, flags } = copying;
  const read = () => parts.readFiles(stateDirectory, { withKey: flags.withKey === true });
  for (let attempt = 1; ; attempt++) {
    const before = await read();
    const from = await copy(stateDirectory, made, copying);
    const with_ = await read();
    if (isSameVault(before.files, with_.files)) {
      if (with_.files.length > 0) await parts.addFiles(made, with_.files);
      return { from, with_ };
    }
    if (attempt === ATTEMPTS_MAX)
      throw new Fault('busy', 'Cannot back up: the keys of the vault are being replaced; try again when that is done');
    rmSync(made, { force: true });
  }
}

function isSameVault(before: readonly BackedUpFile[], after: readonly BackedUpFile[]): boolean {
  const of = (files: readonly BackedUpFile[]) => files.find(({ path }) => path === VAULT_FILE)?.bytes ?? new Uint8Array();
  return Buffer.compare(of(before), of(after)) === 0;
}

function adviceOnKey({ key, isKeyBeside }: BackedUpFiles, hasKey: boolean, stateDirectory: string): string | undefined {
  if (key === undefined) return undefined;
  if (hasKey) return 'the key of the vault is in it: whoever has this file has the secrets';
  const restored = 'without it nobody reads the secrets again';
  if (isKeyBeside)
    return `the key of the vault is not in it; keep ${safeText(stateDirectory)}/vault.key in another place, or take it along with --with-key: ${restored}`;
  return `what unlocks the vault (${KEYS[key]}) is not in it: ${restored}`;
}

const KEYS = {
  passphrase: 'its passphrase',
  file: 'its key file',
  systemd: 'a credential of systemd',
  command: 'what a command prints',
} as const;

type Copying = { readonly flags: BackupFlags; readonly host: Host; readonly parts: BackupParts; readonly signal: AbortSignal };

async function copy(stateDirectory: string, path: string, { flags, host, parts, signal }: Copying): Promise<'daemon' | 'store'> {
  using progress = new ProgressLine(host, 'backing up');
  progress.show(0);
  const link = await findDaemon(stateDirectory);
  try {
    if (link === undefined) {
      await parts.backUp(stateDirectory, path, { onProgress: (share) => progress.show(share), signal });
      return 'store';
    }
    await using client = link.client;
    using _watch = progress.watch(() => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) / Math.max(1, link.status.store_bytes));
    await client.call('store.backup', { path }, { signal });
    return 'daemon';
  } catch (error) {
    throw isFault(error, 'not_found') && link !== undefined ? error : withStoreAdvice(error, flags.state);
  }
}

function finish(made: string, path: string): void {
  try {
    linkSync(made, path); // Unlike a rename, it fails when there is something.
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw exists(path);
    throw error;
  }
  const directory = openSync(dirname(path), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Said here, in the words of who asked: the store would say it of the unfinished file. */
function requireDirectory(path: string): void {
  const directory = dirname(path);
  const stat = statSync(directory, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) return;
  const why = stat === undefined ? `there is no directory ${directory}` : `${directory} is no directory`;
  const fix = stat === undefined ? `mkdir -p ${shellWord(directory)}` : 'choose another place';
  throw new Fault('not_found', `Cannot back up to ${path}: ${why}`, { details: { path, directory, fix } });
}

function exists(path: string): Fault {
  return new Fault('already_exists', `Cannot back up to ${path}: it exists`, { details: { path, fix: 'choose another name' } });
}

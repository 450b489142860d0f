/**
 * What a backup has beside the store: without `vault.json` no secret in it can be read again, and without configuration and policies what is restored is another, laxer system. The key of the vault is
 * taken along only when somebody asks, for then whoever has the backup has the secrets. What else stands in a state directory is not in a backup: keys that sign and open (`audit.key`, `backup.key`, `tls/`), the audit, what is signed in
 * to, and what workspaces have beside the store, which `warren workspace export` takes along.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BackupFile } from '@warren/kernel';
import { Fault } from '@warren/protocol';
import { CONFIG_FILE } from '../config/config.ts';
import { HOOK_FILE } from '../hook/hook-file.ts';
import { readPlainFile } from '../internal/read-plain-file.ts';
import { MCP_FILE } from '../mcp/mcp-config.ts';
import { findPolicies, placeOf } from '../policy/policy-places.ts';
import { examineVault } from '../vault/examine-vault.ts';
import { KEY_FILE } from '../vault/held-roots.ts';
import type { KeySourceKind } from '../vault/unlock-key.ts';
import { VAULT_FILE } from '../vault/vault-file.ts';

export type StateFiles = {
  readonly files: readonly BackupFile[];
  /** What unlocks the vault; undefined when there is none, or it cannot be used. */
  readonly key: KeySourceKind | undefined;
  readonly isKeyBeside: boolean;
};

export type PlacedFiles = {
  readonly placed: readonly string[];
  /** What was in the place of some, under another name from now on. */
  readonly kept: readonly string[];
  /** Left as they are here: what came with the backup is not used. */
  readonly left: readonly string[];
};

const POLICIES = 'policies';
const SETTINGS = [CONFIG_FILE, HOOK_FILE, MCP_FILE];
/** They belong to the store: one that is restored is of no use with those of another. */
const VAULT = [VAULT_FILE, KEY_FILE];
const FILE_BYTES_MAX = 16_777_216;

/** Faults: `invalid_argument` (`withKey`, and there is no key file in the state directory), `store_failed` (a file cannot be read). */
export async function readStateFiles(directory: string, { withKey }: { readonly withKey: boolean }): Promise<StateFiles> {
  const vault = await examineVault(directory);
  const isKeyBeside = vault.kind === 'locked' && vault.isKeyBeside;
  if (withKey && !isKeyBeside) throw noKey(vault.kind === 'locked' ? vault.key : undefined);
  const { found } = await findPolicies(join(directory, POLICIES));
  const names = [VAULT_FILE, ...(withKey ? [KEY_FILE] : []), ...SETTINGS, ...found.map(({ file }) => `${POLICIES}/${file}`)];
  const files: BackupFile[] = [];
  for (const path of names) {
    const read = await readPlainFile(join(directory, path), { bytesMax: FILE_BYTES_MAX, mayBeLink: true });
    if (read.kind === 'read') files.push({ path, bytes: read.bytes });
    else if (read.code !== 'not_found') throw new Fault('store_failed', `Cannot back up ${join(directory, path)}: it ${read.reason}`);
  }
  return { files, key: vault.kind === 'locked' ? vault.key : undefined, isKeyBeside };
}

/** What belongs to the vault takes the place of what is there, which is kept beside; settings come where there are none. Faults: `invalid_argument` (a path that no backup has). */
export function placeStateFiles(directory: string, files: readonly BackupFile[], suffix: string): PlacedFiles {
  for (const { path } of files) if (!isKnown(path)) throw foreign(path);
  const hasPolicies = hasEntries(join(directory, POLICIES));
  const isLeft = (path: string): boolean =>
    !VAULT.includes(path) && (path.startsWith(`${POLICIES}/`) ? hasPolicies : existsSync(join(directory, path)));
  const [placed, kept, left]: [string[], string[], string[]] = [[], [], []];
  for (const { path, bytes } of files) {
    const full = join(directory, path);
    if (isLeft(path)) {
      left.push(path);
      continue;
    }
    if (existsSync(full)) {
      const aside = `${full}.before-restore-${suffix}`;
      linkSync(full, aside);
      kept.push(aside);
    }
    place(full, bytes);
    placed.push(path);
  }
  return { placed, kept, left };
}

/** A backup is a file that somebody may have changed: nothing in it leads elsewhere. */
function isKnown(path: string): boolean {
  if (VAULT.includes(path) || SETTINGS.includes(path)) return true;
  const inside = path.startsWith(`${POLICIES}/`) ? path.slice(POLICIES.length + 1) : '';
  const isPlain = inside.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !/[\0\\]/.test(part));
  return isPlain && placeOf(inside) !== undefined;
}

function hasEntries(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).length > 0;
}

/** Whole or not at all, and on disk. */
function place(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const beside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    writeFileSync(beside, bytes, { mode: 0o600, flag: 'wx', flush: true });
    renameSync(beside, path);
  } finally {
    rmSync(beside, { force: true });
  }
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function noKey(kind: KeySourceKind | undefined): Fault {
  const why = {
    passphrase: 'somebody gives a passphrase, which is nowhere written down',
    file: 'its key file is not in the state directory; keep it from there',
    systemd: 'systemd has it',
    command: 'a command prints it',
  };
  return new Fault('invalid_argument', `Cannot back up the key of the vault: ${kind === undefined ? 'there is none' : why[kind]}`, {
    details: { option: '--with-key' },
  });
}

function foreign(path: string): Fault {
  return new Fault('invalid_argument', `Cannot restore ${JSON.stringify(path.slice(0, 80))}: no backup has such a file`, {
    details: { path: path.slice(0, 256) },
  });
}

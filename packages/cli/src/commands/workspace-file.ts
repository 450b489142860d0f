/** `warren workspace export` and `import`: a tenant as one sealed file. No daemon may run on the state directory: the file is of one moment, and nothing of it happens twice. */
import { randomBytes } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Kernel, openKernel } from '@warren/kernel';
import {
  exportWorkspace,
  type FileSecret,
  importWorkspace,
  noteOfflineAction,
  openPlatform,
  openStream,
  sealStream,
  type Vault,
} from '@warren/platform';
import { Fault, isFault, type JsonObject, parseWorkspaceId, type WorkspaceId } from '@warren/protocol';
import { openSandboxes } from '@warren/sandbox';
import { count } from '../internal/count.ts';
import type { Host } from '../internal/host.ts';
import { readPassphrase } from '../internal/read-passphrase.ts';
import { runKeyCommand } from '../internal/run-key-command.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { shellWord } from '../internal/shell-words.ts';
import { findHolder } from '../internal/state-holder.ts';
import { nextCommand, statePath } from '../internal/state-path.ts';
import { userName } from '../internal/user-name.ts';
import type { StateFlags } from '../program/state-options.ts';
import type { WorkspaceExportFlags, WorkspaceImportFlags } from '../program/workspace-commands.ts';

const PAGE = 1_000;

export async function workspaceExport(name: string, file: string, flags: WorkspaceExportFlags, host: Host): Promise<number> {
  const id = parseWorkspaceId(name);
  refuseOneInput(flags);
  const secret = await readSecret(flags, host, 'new');
  const target = resolve(host.cwd(), file);
  if (existsSync(target)) throw new Fault('already_exists', `Cannot export to ${target}: it exists`, { details: { path: target } });
  await using on = await openOffline(flags, host, 'export a workspace');
  const command = `workspace export ${id} ${shellWord(file)}`;
  const held = await countSecrets(on.kernel, id);
  const withSecrets = held > 0 && flags.withoutSecrets !== true;
  if (withSecrets) await unlock(on.vault, command, flags, host);
  const beside = join(dirname(target), `.${randomBytes(6).toString('hex')}.part`);
  let bytes = 0;
  try {
    {
      await using out = await open(beside, 'wx', 0o600);
      const content = exportWorkspace({ ...on, now: () => host.now() }, id, { withSecrets }, new AbortController().signal);
      for await (const piece of sealStream(secret, content)) {
        await out.writeFile(piece);
        bytes += piece.length;
      }
      await out.datasync();
    }
    await rename(beside, target);
  } catch (error) {
    throw adviseOnSecrets(error, command, flags);
  } finally {
    await rm(beside, { force: true });
  }
  const [secrets, leftOut] = withSecrets ? [held, 0] : [0, held];
  note(on.directory, 'workspace.export', { workspace: id, secrets, file: target }, host);
  if (flags.json === true)
    await host.stdout.write(`${safeJson({ workspace: id, file: target, bytes, ...countsOf(secrets, leftOut) }, 2)}\n`);
  else
    await host.stdout.write(
      `Workspace ${safeText(id)} is in ${safeText(target)}, ${countWords(secrets, leftOut)}; its tokens stay here.\n`,
    );
  return 0;
}

export async function workspaceImport(file: string, flags: WorkspaceImportFlags, host: Host): Promise<number> {
  const as = flags.as === undefined ? undefined : parseWorkspaceId(flags.as);
  refuseOneInput(flags);
  const secret = await readSecret(flags, host, 'known');
  const source = resolve(host.cwd(), file);
  if (!existsSync(source)) throw new Fault('not_found', `Cannot import ${source}: there is no such file`, { details: { path: source } });
  await using on = await openOffline(flags, host, 'import a workspace');
  const command = `workspace import ${shellWord(file)}${as === undefined ? '' : ` --as ${as}`}`;
  const withSecrets = flags.withoutSecrets !== true;
  if (withSecrets && flags.vaultPassphraseFile !== undefined) await unlock(on.vault, command, flags, host);
  const content = openStream(secret, createReadStream(source));
  const { id, secrets, secretsLeftOut } = await importWorkspace(on, content, { as, withSecrets }, parseWorkspaceId).catch(
    (error: unknown) => {
      throw adviseOnSecrets(error, command, flags);
    },
  );
  note(on.directory, 'workspace.import', { workspace: id, secrets, file: source }, host);
  if (flags.json === true) await host.stdout.write(`${safeJson({ workspace: id, ...countsOf(secrets, secretsLeftOut) }, 2)}\n`);
  else {
    await host.stdout.write(`Workspace ${safeText(id)} is there, ${countWords(secrets, secretsLeftOut)}.\n`);
    await host.stderr.write(`  a token for it: ${nextCommand(`token create --workspace ${id}`, flags)}\n`);
  }
  return 0;
}

/** With the passphrase that is given, else with the key that the configuration names. */
async function unlock(vault: Vault, command: string, flags: WorkspaceImportFlags, host: Host): Promise<void> {
  const { vaultPassphraseFile: passphraseFile } = flags;
  const passphrase = passphraseFile === undefined ? undefined : await readPassphrase({ passphraseFile }, host, 'known');
  await vault.unlock(passphrase).catch((error: unknown) => {
    throw adviseOnSecrets(error, command, flags);
  });
}

/** No daemon runs that could be asked to unlock it. */
function adviseOnSecrets(error: unknown, command: string, flags: WorkspaceImportFlags): unknown {
  if (!isFault(error, 'vault_locked')) return error;
  const fix = `${nextCommand(`${command} --vault-passphrase-file FILE`, flags)}, or with --without-secrets`;
  return new Fault('vault_locked', error.message, { details: { ...error.details, fix }, cause: error });
}

function countsOf(secrets: number, leftOut: number) {
  return { secrets, secrets_left_out: leftOut };
}

function countWords(secrets: number, leftOut: number): string {
  if (leftOut > 0) return `without ${count(leftOut, 'secret')} of it, left out as asked`;
  return secrets === 0 ? 'which has no secrets' : `with ${count(secrets, 'secret')}`;
}

async function countSecrets(kernel: Kernel, id: WorkspaceId): Promise<number> {
  await kernel.workspaces.get(id);
  let total = 0;
  for (let after: string | undefined; ; ) {
    const page = await kernel.workspace(id).secrets.list({ limit: PAGE, after });
    total += page.length;
    after = page.at(-1)?.name;
    if (page.length < PAGE) return total;
  }
}

/** The next start takes it into the audit: secrets went where no audit follows them. */
function note(directory: string, action: 'workspace.export' | 'workspace.import', details: JsonObject, host: Host): void {
  noteOfflineAction(directory, action, details, { at: host.now(), by: userName() });
}

function refuseOneInput({ passphraseFile, vaultPassphraseFile }: WorkspaceImportFlags): void {
  if (passphraseFile === '-' && vaultPassphraseFile === '-')
    throw new Fault('invalid_argument', 'Cannot read both passphrases from standard input', {
      details: { option: '--vault-passphrase-file' },
    });
}

async function openOffline(flags: StateFlags, host: Host, what: string) {
  const directory = statePath(host, flags.state);
  const pid = findHolder(directory);
  if (pid !== undefined)
    throw new Fault('busy', `Cannot ${what}: process ${pid} has ${directory} open`, { details: { pid, fix: nextCommand('stop', flags) } });
  await using opening = new AsyncDisposableStack();
  const kernel = opening.use(await openKernel({ directory }));
  const platform = opening.use(
    await openPlatform({
      kernel,
      directory,
      isWatching: false,
      openSandboxes: () => openSandboxes(),
      runKeyCommand,
      environment: host.env,
    }),
  );
  const owned = opening.move();
  const { memories, secrets, vault } = platform;
  return { kernel, directory, memories, secrets, vault, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function readSecret(flags: WorkspaceImportFlags, host: Host, kind: 'new' | 'known'): Promise<FileSecret> {
  const { keyFile } = flags;
  if (keyFile === undefined) return { kind: 'passphrase', passphrase: await readPassphrase(flags, host, kind) };
  const path = resolve(host.cwd(), keyFile);
  if (!existsSync(path)) throw new Fault('invalid_argument', `Cannot read the key from ${safeText(path)}: there is no such file`);
  return { kind: 'key', key: await readFile(path) };
}

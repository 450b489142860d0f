/** `warren workspace export` and `import`: a tenant as one sealed file. No daemon may run on the state directory: the file is of one moment, and nothing of it happens twice. */
import { randomBytes } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { openKernel } from '@warren/kernel';
import { exportWorkspace, type FileSecret, importWorkspace, openPlatform, openStream, sealStream } from '@warren/platform';
import { Fault, parseWorkspaceId } from '@warren/protocol';
import { openSandboxes } from '@warren/sandbox';
import type { Host } from '../internal/host.ts';
import { readPassphrase } from '../internal/read-passphrase.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { findHolder } from '../internal/state-holder.ts';
import { nextCommand, statePath } from '../internal/state-path.ts';
import type { StateFlags } from '../program/state-options.ts';
import type { WorkspaceExportFlags, WorkspaceImportFlags } from '../program/workspace-commands.ts';

export async function workspaceExport(name: string, file: string, flags: WorkspaceExportFlags, host: Host): Promise<number> {
  const id = parseWorkspaceId(name);
  const secret = await readSecret(flags, host, 'new');
  const target = resolve(host.cwd(), file);
  if (existsSync(target)) throw new Fault('already_exists', `Cannot export to ${target}: it exists`, { details: { path: target } });
  await using on = await openOffline(flags, host, 'export a workspace');
  const beside = join(dirname(target), `.${randomBytes(6).toString('hex')}.part`);
  let bytes = 0;
  try {
    {
      await using out = await open(beside, 'wx', 0o600);
      const content = exportWorkspace({ ...on, now: () => host.now() }, id, new AbortController().signal);
      for await (const piece of sealStream(secret, content)) {
        await out.writeFile(piece);
        bytes += piece.length;
      }
      await out.datasync();
    }
    await rename(beside, target);
  } finally {
    await rm(beside, { force: true });
  }
  if (flags.json === true) await host.stdout.write(`${safeJson({ workspace: id, file: target, bytes }, 2)}\n`);
  else await host.stdout.write(`Workspace ${safeText(id)} is in ${safeText(target)}, without its secrets and tokens.\n`);
  return 0;
}

export async function workspaceImport(file: string, flags: WorkspaceImportFlags, host: Host): Promise<number> {
  const as = flags.as === undefined ? undefined : parseWorkspaceId(flags.as);
  const secret = await readSecret(flags, host, 'known');
  const source = resolve(host.cwd(), file);
  if (!existsSync(source)) throw new Fault('not_found', `Cannot import ${source}: there is no such file`, { details: { path: source } });
  await using on = await openOffline(flags, host, 'import a workspace');
  const id = await importWorkspace(on, openStream(secret, createReadStream(source)), as, parseWorkspaceId);
  if (flags.json === true) await host.stdout.write(`${safeJson({ workspace: id }, 2)}\n`);
  else {
    await host.stdout.write(`Workspace ${safeText(id)} is there.\n`);
    await host.stderr.write(`  a token for it: ${nextCommand(`token create --workspace ${id}`, flags)}\n`);
  }
  return 0;
}

async function openOffline(flags: StateFlags, host: Host, what: string) {
  const directory = statePath(host, flags.state);
  const pid = findHolder(directory);
  if (pid !== undefined)
    throw new Fault('busy', `Cannot ${what}: process ${pid} has ${directory} open`, { details: { pid, fix: nextCommand('stop', flags) } });
  await using opening = new AsyncDisposableStack();
  const kernel = opening.use(await openKernel({ directory }));
  const platform = opening.use(await openPlatform({ kernel, directory, isWatching: false, openSandboxes: () => openSandboxes() }));
  const owned = opening.move();
  return { kernel, directory, memories: platform.memories, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function readSecret(flags: WorkspaceImportFlags, host: Host, kind: 'new' | 'known'): Promise<FileSecret> {
  const { keyFile } = flags;
  if (keyFile === undefined) return { kind: 'passphrase', passphrase: await readPassphrase(flags, host, kind) };
  const path = resolve(host.cwd(), keyFile);
  if (!existsSync(path)) throw new Fault('invalid_argument', `Cannot read the key from ${safeText(path)}: there is no such file`);
  return { kind: 'key', key: await readFile(path) };
}

/** `warren capability new|test|install|remove`: packs of others. */
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import {
  checkPackName,
  noteOfflineAction,
  type OfflineActionName,
  openPacks,
  problemText,
  scaffoldPack,
  shippedDefinitions,
} from '@warren/platform';
import { Fault, type JsonObject } from '@warren/protocol';
import { openSandboxes } from '@warren/sandbox';
import { count } from '../internal/count.ts';
import { findDaemon } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { interruptible } from '../internal/interruptible.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { statePath } from '../internal/state-path.ts';
import { userName } from '../internal/user-name.ts';
import { testPack } from '../parts/test-pack.ts';
import type { CapabilityInstallFlags, CapabilityNewFlags } from '../program/capability-commands.ts';
import type { StateFlags } from '../program/state-options.ts';

const FOLDER = 'capabilities';

export async function capabilityNew(name: string, flags: CapabilityNewFlags, host: Host): Promise<number> {
  checkPackName(name, [...(await shippedDefinitions()).definitions.keys()]);
  const folder = resolve(host.cwd(), flags.dir ?? name);
  await mkdir(folder, { recursive: false }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
      throw new Fault('not_found', `Cannot make ${folder}: there is no directory ${dirname(folder)}`, {
        details: { path: folder },
        cause: error,
      });
    if (error.code !== 'EEXIST') throw error;
    throw new Fault('already_exists', `Cannot make ${folder}: it is there`, { details: { path: folder }, cause: error });
  });
  const files = await scaffoldPack(name, folder, flags.language);
  if (flags.json === true) return await printJson(host, { folder, files });
  for (const file of files) await host.stdout.write(`${safeText(join(folder, file))}\n`);
  await host.stderr.write(`  check it: warren capability test ${safeText(folder)}\n`);
  return 0;
}

export async function capabilityTest(target: string | undefined, flags: { readonly json?: true }, host: Host): Promise<number> {
  return await interruptible(host, async (signal) => {
    const report = await testPack(target === undefined ? undefined : resolve(host.cwd(), target), signal);
    if (flags.json === true) await printJson(host, report);
    else {
      for (const problem of report.problems) await host.stdout.write(`${problem.severity}: ${safeText(problemText(problem))}\n`);
      for (const { capability, description, reason } of report.examples.filter(({ isPassed }) => !isPassed)) {
        await host.stdout.write(`failed: ${safeText(`${capability}: ${description}: ${reason ?? 'not as it should be'}`)}\n`);
      }
      const failed = report.examples.filter(({ isPassed }) => !isPassed).length;
      await host.stdout.write(
        `${report.capabilities} ${report.capabilities === 1 ? 'capability' : 'capabilities'}, ${count(report.examples.length - failed, 'example')} passed, ${failed} failed\n`,
      );
    }
    return report.isPassed ? 0 : 1;
  });
}

export async function capabilityInstall(source: string, flags: CapabilityInstallFlags, host: Host): Promise<number> {
  return await interruptible(host, async (signal) => {
    const path = resolve(host.cwd(), source);
    const isArchive = /\.(?:tar\.gz|tgz)$/.test(path);
    if (isArchive && flags.sha256 === undefined)
      throw new Fault('invalid_argument', 'Cannot install an archive without --sha256: say which one it is to be');
    await using sandboxes = await openSandboxes({ spares: 0 });
    const packs = await openPacks({ folder: join(statePath(host, flags.state), FOLDER), sandboxes, builtin: await shippedDefinitions() });
    const installed = await packs.install(
      isArchive ? { kind: 'archive', file: path, sha256: flags.sha256 ?? '' } : { kind: 'folder', folder: path },
      signal,
    );
    await tell('capability.install', { pack: installed.name, version: installed.version }, flags, host);
    if (flags.json === true) return await printJson(host, installed);
    await host.stdout.write(
      `Pack ${safeText(`${installed.name} ${installed.version}`)} is installed: ${safeText(installed.capabilities.join(', '))}\n`,
    );
    return 0;
  });
}

export async function capabilityRemove(name: string, flags: StateFlags, host: Host): Promise<number> {
  await using sandboxes = await openSandboxes({ spares: 0 });
  const packs = await openPacks({ folder: join(statePath(host, flags.state), FOLDER), sandboxes, builtin: await shippedDefinitions() });
  const isRemoved = await packs.remove(name);
  if (isRemoved) await tell('capability.remove', { pack: name }, flags, host);
  if (flags.json === true) return await printJson(host, { name, removed: isRemoved });
  await host.stdout.write(isRemoved ? `Pack ${safeText(name)} is removed.\n` : `There is no pack ${safeText(name)}.\n`);
  return isRemoved ? 0 : 1;
}

/** A daemon would notice by itself; so it has when we are done. Without one the next start is told. */
async function tell(action: OfflineActionName, details: JsonObject, { state }: StateFlags, host: Host): Promise<void> {
  const directory = statePath(host, state);
  const link = await findDaemon(directory);
  if (link === undefined) return noteOfflineAction(directory, action, details, { at: host.now(), by: userName() });
  await using client = link.client;
  await client.call('capability.reload', {});
}

async function printJson(host: Host, value: unknown): Promise<number> {
  await host.stdout.write(`${safeJson(value, 2)}\n`);
  return 0;
}

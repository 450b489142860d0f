/** `warren restore`: a backup in the place of the store and the vault. */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { Fault, isFault } from '@warren/protocol';
import type { Host } from '../internal/host.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { formatSize } from '../internal/size.ts';
import { nextCommand } from '../internal/state-path.ts';
import { withStoreAdvice } from '../internal/store-advice.ts';
import type { RestoreFlags } from '../program/store-commands.ts';

export type RestoreRequest = { readonly directory: string; readonly backup: string; readonly isForced: boolean; readonly suffix: string };
export type RestoreOutcome = {
  readonly schemaVersion: number;
  readonly bytes: number;
  readonly keptAs: string | undefined;
  readonly placed: PlacedFiles;
};
/** Of what came with the store: where it is now, what was there before, and what was left as it is. */
export type PlacedFiles = { readonly placed: readonly string[]; readonly kept: readonly string[]; readonly left: readonly string[] };

export interface RestoreParts {
  openState(flag: string | undefined): string;
  restore(request: RestoreRequest): Promise<RestoreOutcome>;
  /** What a person has to do before its secrets can be used; undefined: nothing. */
  adviseOnVault(directory: string): Promise<string | undefined>;
  /** Has it recorded by the next start. */
  note(directory: string, details: { readonly from: string; readonly kept_as: string | null }, at: number): void;
}

export async function restore(file: string, flags: RestoreFlags, host: Host, parts: RestoreParts): Promise<number> {
  const directory = parts.openState(flags.state);
  const backup = resolve(host.cwd(), file);
  const time = new Date(host.now()).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const suffix = `${time}-${randomBytes(3).toString('hex')}`; // There may be two in a second.
  const done = await parts.restore({ directory, backup, isForced: flags.force === true, suffix }).catch((error: unknown) => {
    throw explain(error, flags, file);
  });
  parts.note(directory, { from: backup, kept_as: done.keptAs ?? null }, host.now());
  if (flags.json === true) {
    const { bytes, schemaVersion: schema_version, keptAs, placed: files } = done;
    await host.stdout.write(`${safeJson({ state_directory: directory, bytes, schema_version, kept_as: keptAs ?? null, files }, 2)}\n`);
    return 0;
  }
  await host.stdout.write(`Restored ${formatSize(done.bytes)} to ${safeText(directory)}.\n`);
  if (done.keptAs !== undefined)
    await host.stdout.write(`The old store is ${safeText(done.keptAs)}; delete it when you no longer want it.\n`);
  for (const path of done.placed.kept) await host.stdout.write(`What was in its place is ${safeText(path)}.\n`);
  if (done.placed.left.length > 0)
    await host.stderr.write(`warren: left as they are here, not as they are in the backup: ${safeText(done.placed.left.join(', '))}\n`);
  const advice = await parts.adviseOnVault(directory);
  if (advice !== undefined) await host.stderr.write(`warren: ${advice}\n`);
  return 0;
}

function explain(error: unknown, { state }: RestoreFlags, file: string): unknown {
  if (!isFault(error)) return error;
  const fix = {
    busy: `${nextCommand('stop', { state })}, then the same again`,
    already_exists: nextCommand(`restore --force ${safeText(file)}`, { state }),
    store_failed: 'take another backup; this one is left as it is',
    not_found: undefined,
    invalid_argument: 'name a file that `warren backup` made',
  }[error.code as string]; // Any other code has no entry.
  return fix === undefined
    ? withStoreAdvice(error, state)
    : new Fault(error.code, error.message, { details: { ...error.details, fix }, cause: error });
}

/** What a workspace of the library was made with, in a file of its own; never a secret. Other keys that stand there are kept. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import { z } from 'zod';
import { diskFault } from '../internal/disk-fault.ts';
import type { WorkspaceConfig } from './embedded-platform.ts';

const FILE = 'config.json';
const BYTES_MAX = 1_048_576;
const text = z.string().max(65_536);

const format = z.looseObject({
  model: text.optional(),
  provider: text.optional(),
  systemPrompt: text.optional(),
  skills: z.looseObject({ enabled: z.array(z.string().max(128)).max(10_000).optional() }).optional(),
});

export type KeptConfig = Pick<WorkspaceConfig, 'model' | 'provider' | 'systemPrompt' | 'skills'>;

/** Empty when there is none. Faults: `store_failed`. */
export function readWorkspaceConfig(folder: string): KeptConfig {
  const path = join(folder, FILE);
  try {
    const content = readFileSync(path);
    if (content.byteLength > BYTES_MAX) throw new Error(`it has more than ${BYTES_MAX} bytes`);
    return format.parse(JSON.parse(content.toString()));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}; // What reading throws has a code.
    throw new Fault('store_failed', `Cannot read ${path}: it is not as it was written`, { cause: error, details: { path } });
  }
}

/** Faults: `invalid_argument`. */
export function checkWorkspaceConfig({ model, provider, systemPrompt, skills }: WorkspaceConfig): KeptConfig {
  const parsed = format.safeParse(JSON.parse(JSON.stringify({ model, provider, systemPrompt, skills })));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Fault('invalid_argument', `Cannot use this as the configuration of a workspace: ${issue?.path.join('.')}: ${issue?.message}`);
}

/** The old or the new is there, whole. */
export function writeWorkspaceConfig(folder: string, config: KeptConfig): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const beside = join(folder, `${FILE}.${randomBytes(6).toString('hex')}`);
  try {
    writeFileSync(beside, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true });
    renameSync(beside, join(folder, FILE));
  } catch (error) {
    throw diskFault(error, 'write the configuration of the workspace');
  } finally {
    rmSync(beside, { force: true });
  }
}

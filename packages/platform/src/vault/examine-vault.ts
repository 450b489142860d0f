/** How the vault of a state directory is locked, for `warren doctor`. Opens nothing, and makes nothing. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isFault } from '@warren/protocol';
import { readConfig } from '../config/config.ts';
import { KEY_FILE } from './held-roots.ts';
import type { KeySourceKind } from './unlock-key.ts';
import { readVaultFile } from './vault-file.ts';

export type VaultExamination =
  | { readonly kind: 'absent' }
  /** `isKeyBeside`: the key lies in the state directory, beside what it protects. */
  | { readonly kind: 'locked'; readonly key: KeySourceKind; readonly isKeyBeside: boolean }
  | { readonly kind: 'unusable'; readonly reason: string };

export async function examineVault(directory: string): Promise<VaultExamination> {
  try {
    const key = (await readVaultFile(directory))?.unlock.kind;
    if (key === undefined) return { kind: 'absent' };
    const configured = (await readConfig(directory)).vault.key;
    const named = configured?.kind ?? (key === 'passphrase' ? key : 'file');
    if (named !== key) return { kind: 'unusable', reason: `it is locked with a ${key}, and the configuration names a ${named}` };
    const path = key === 'file' ? (configured?.kind === 'file' ? configured.path : join(directory, KEY_FILE)) : undefined;
    if (path !== undefined && (await stat(path).catch(() => undefined)) === undefined)
      return { kind: 'unusable', reason: `its key file ${path} is gone` };
    return { kind: 'locked', key, isKeyBeside: path?.startsWith(join(directory, '/')) === true };
  } catch (error) {
    if (isFault(error)) return { kind: 'unusable', reason: error.message };
    throw error;
  }
}

/** What apply does not touch, whatever else is asked. */
import { attentionOf } from './attention.ts';
import type { BytePath } from './byte-path.ts';
import type { SealedChange } from './manifest.ts';
import { isSpecial, SET_ID } from './path-state.ts';
import type { RunId } from './run-id.ts';
import { isTemporaryName } from './temporary-name.ts';

/**
 * - `special`: a fifo, socket or device; there is no content to apply or bring back.
 * - `set_id`: a setuid or setgid file would give an agent's program somebody's rights.
 * - `reserved_name`: a name that apply uses itself.
 * - `attention`: see attention.ts; applied when named or forced.
 * - `depends`: it needs a change that is left out, or holds an entry that is.
 */
export type RefusalReason = 'special' | 'set_id' | 'reserved_name' | 'attention' | 'depends';

export type Refusal = { readonly path: BytePath; readonly reason: RefusalReason; readonly detail: string };

/** Why a change is never applied by itself; `undefined`: it can be. */
export function refusalOf({ path, before, after }: SealedChange, run: RunId): Refusal | undefined {
  if (isSpecial(after)) return { path, reason: 'special', detail: `it is a ${after.kind.replace('_', ' ')}` };
  if (isSpecial(before)) return { path, reason: 'special', detail: `the host has a ${before.kind.replace('_', ' ')} there` };
  if (after?.kind === 'file' && (after.mode & SET_ID) !== 0) {
    return { path, reason: 'set_id', detail: 'it would run with the rights of its owner or group' };
  }
  if (isTemporaryName(path, run)) return { path, reason: 'reserved_name', detail: 'apply uses this name for itself' };
  return undefined;
}

/** As `refusalOf`, for what is applied only when it is named or forced. */
export function attentionRefusalOf({ path, after }: SealedChange): Refusal | undefined {
  const detail = attentionOf(path, after);
  return detail === undefined ? undefined : { path, reason: 'attention', detail };
}

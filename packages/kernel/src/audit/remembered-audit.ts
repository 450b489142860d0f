/**
 * What the store remembers of the audit: whose signature it has, and how far it had come when somebody last looked. So an audit that is gone, that is another, or that is an
 * earlier state of itself is noticed at the next start, and not begun again in silence.
 */
import type { WorkspaceStore } from '../store/store.ts';
import type { Audit, TreeHead } from './audit.ts';

export type RememberedAudit = Pick<TreeHead, 'keyId' | 'size' | 'root'>;

/** No scope that anybody can name. */
const SCOPE = 'warren';
const KEY = 'audit';

/** `store`: of the default workspace, which is always there. */
export async function recallAudit(store: WorkspaceStore): Promise<RememberedAudit | undefined> {
  const value = await store.read(({ state }) => state.find(SCOPE, KEY)?.value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { key_id: keyId, size, root } = value as { readonly [name: string]: unknown }; // No list, as was just seen.
  return typeof keyId === 'string' && typeof size === 'number' && typeof root === 'string' ? { keyId, size, root } : undefined;
}

export async function rememberAudit(store: WorkspaceStore, { keyId, size, root }: RememberedAudit): Promise<void> {
  const value = { key_id: keyId, size, root };
  await store.write(({ state, now }) => {
    const known = state.find(SCOPE, KEY);
    const version = (known?.version ?? state.lastVersion(SCOPE, KEY)) + 1;
    const owner = { writer: '', owner: '', readers: undefined, writers: undefined, expiresAt: undefined };
    const sizeBytes = JSON.stringify(value).length;
    state.put({ scope: SCOPE, key: KEY, version, sizeBytes, createdAt: known?.createdAt ?? now, updatedAt: now, ...owner, value }, 0);
  });
}

/** Why an audit is not the one that is remembered; undefined when it is, and goes on from there. */
export async function whyNotRemembered(
  audit: Pick<Audit, 'head' | 'proveConsistency'>,
  { keyId, size, root }: RememberedAudit,
): Promise<string | undefined> {
  const head = audit.head();
  if (head.keyId !== keyId) return `it is signed by key ${head.keyId}, that of this state directory by ${keyId}`;
  if (head.size < size) return `it has ${head.size} entries, and had ${size}`;
  const { from } = await audit.proveConsistency(size);
  return from.root === root ? undefined : `its first ${size} entries are not those it had`;
}

/**
 * Seals secrets that came from another vault for a workspace that is being made: under a data key that is made for it, which nobody has had before. The root key that wraps it stays the current one until all of them are kept, so
 * a rotation meanwhile does not leave them behind.
 */
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import type { SecretBatch } from '@warren/kernel';
import type { WorkspaceId } from '@warren/protocol';
import { aboutDataKey, aboutVersion } from './about.ts';
import { checkCopy } from './check-copy.ts';
import type { RootKeys } from './root-keys.ts';
import { seal } from './seal.ts';
import type { SecretCopy } from './secrets.ts';

/** Seals one. The key comes with the first. Faults: `invalid_argument` (nobody could have set such a secret here). */
export type SealCopy = (copy: SecretCopy) => SecretBatch;

const KEY_BYTES = 32;
const NUMBER = 1;

export async function sealCopies<T>(
  workspace: WorkspaceId,
  { roots, now }: { readonly roots: RootKeys; readonly now: () => number },
  use: (seal: SealCopy) => Promise<T>,
): Promise<T> {
  return await roots.withCurrent(async (root) => {
    let key: KeyObject | undefined;
    const begin = (): { readonly key: KeyObject; readonly dataKeys: SecretBatch['dataKeys'] } => {
      if (key !== undefined) return { key, dataKeys: [] };
      const bytes = randomBytes(KEY_BYTES);
      try {
        key = createSecretKey(bytes);
        const wrapped = seal(root.key, bytes, aboutDataKey(workspace, NUMBER));
        return { key, dataKeys: [{ number: NUMBER, root: root.number, wrapped, createdAt: now() }] };
      } finally {
        bytes.fill(0);
      }
    };
    return await use((copy) => {
      const { versions, ...row } = checkCopy(copy);
      const mine = begin();
      const sealed = versions.map(({ version, createdAt, bytes }) => {
        return { version, dataKey: NUMBER, sealed: seal(mine.key, bytes, aboutVersion(workspace, row, version)), createdAt };
      });
      return { dataKeys: mine.dataKeys, secrets: [{ row: { ...row, revision: 1 }, versions: sealed }] };
    });
  });
}

/** Proofs, checked with nothing but a public key. Whatever they are made of, the answer is yes or no. */
import type { ConsistencyProof, InclusionProof, TreeHead } from './audit.ts';
import { readPublicKey } from './audit-key.ts';
import { HASH_BYTES, isConsistent, rootFromInclusion } from './merkle.ts';
import { isSignedHead } from './tree-head.ts';

/** More than the path of any tree. */
const PATH_MAX = 128;

/** Whether the entry with this hash is part of the tree that was signed. Faults: `invalid_argument` (the key). */
export function verifyInclusion(proof: InclusionProof, publicKey: string): boolean {
  const key = readPublicKey(publicKey);
  const { seq, head } = proof;
  const [leaf] = toHashes([proof.hash]) ?? [];
  const path = toHashes(proof.path);
  if (!isCount(seq) || leaf === undefined || path === undefined || !isHead(head)) return false;
  return rootFromInclusion(seq, head.size, leaf, path)?.toString('hex') === head.root && isSignedHead(head, key.publicKey, key.id);
}

/** Whether the later tree begins with the earlier one, and both were signed. Faults: `invalid_argument` (the key). */
export function verifyConsistency(proof: ConsistencyProof, publicKey: string): boolean {
  const key = readPublicKey(publicKey);
  const { from, to } = proof;
  const path = toHashes(proof.path);
  if (path === undefined || !isHead(from) || !isHead(to)) return false;
  if (!isConsistent(from.size, Buffer.from(from.root, 'hex'), to.size, Buffer.from(to.root, 'hex'), path)) return false;
  return [from, to].every((head) => isSignedHead(head, key.publicKey, key.id));
}

/** Of what somebody sent, before anything is computed with it. */
export function isHead(head: TreeHead): boolean {
  if (typeof head !== 'object' || head === null) return false;
  const { size, at, root, keyId, signature } = head;
  return (
    isCount(size) && isCount(at) && isHash(root) && typeof keyId === 'string' && typeof signature === 'string' && signature.length < 128
  );
}

function toHashes(list: readonly string[]): readonly Buffer[] | undefined {
  if (!Array.isArray(list) || list.length > PATH_MAX || !list.every(isHash)) return undefined;
  return list.map((text: string) => Buffer.from(text, 'hex'));
}

function isHash(text: unknown): text is string {
  return typeof text === 'string' && text.length === 2 * HASH_BYTES && /^[0-9a-f]*$/.test(text);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

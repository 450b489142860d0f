import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  consistencyPath,
  EMPTY_ROOT,
  Frontier,
  inclusionPath,
  isConsistent,
  leafHash,
  nodeCount,
  rangeRoot,
  rootFromInclusion,
  subtreesOf,
} from './merkle.ts';

/** As RFC 6962 writes it down. */
function naiveRoot(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return createHash('sha256').digest();
  if (leaves.length === 1)
    return createHash('sha256')
      .update(Buffer.of(0))
      .update(leaves[0] ?? '')
      .digest();
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return createHash('sha256')
    .update(Buffer.of(1))
    .update(naiveRoot(leaves.slice(0, split)))
    .update(naiveRoot(leaves.slice(split)))
    .digest();
}

function grow(count: number) {
  const data = Array.from({ length: count }, (_, index) => Buffer.from(`leaf ${index}`));
  const nodes: Buffer[] = [];
  const frontier = new Frontier();
  for (const leaf of data) frontier.append(leafHash(leaf), (node) => nodes.push(node));
  return { data, nodes, frontier, read: (place: number) => nodes[place] ?? Buffer.alloc(32) };
}

describe('the tree', () => {
  it('has the root of the standard at every size, from its edge and from its nodes', () => {
    const frontier = new Frontier();
    const { data, read } = grow(130);
    for (let size = 0; size <= 130; size += 1) {
      const root = naiveRoot(data.slice(0, size));
      expect(frontier.root()).toEqual(root);
      expect(rangeRoot(0, size, read)).toEqual(root);
      expect(new Frontier(size, subtreesOf(size, read)).root()).toEqual(root);
      frontier.append(leafHash(data[size] ?? Buffer.alloc(0)));
    }
    expect(EMPTY_ROOT).toEqual(naiveRoot([]));
  });

  it('has the known root of the eight test leaves of Certificate Transparency', () => {
    const frontier = new Frontier();
    for (const text of ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']) {
      frontier.append(leafHash(Buffer.from(text, 'hex')));
    }
    expect(frontier.root().toString('hex')).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
  });

  it('keeps as many nodes as it says', () => {
    for (const size of [0, 1, 2, 3, 7, 8, 100]) expect(grow(size).nodes.length).toBe(nodeCount(size));
  });
});

describe('paths', () => {
  it('prove each leaf in each size, and nothing when anything of them changes', () => {
    const { data, read } = grow(70);
    fc.assert(
      fc.property(fc.nat(69), fc.nat(69), fc.nat(), fc.nat(255), (one, other, which, by) => {
        const [leaf, size] = [Math.min(one, other), Math.max(one, other) + 1];
        const root = naiveRoot(data.slice(0, size));
        const path = inclusionPath(leaf, size, read);
        const hashed = leafHash(data[leaf] ?? Buffer.alloc(0));
        expect(rootFromInclusion(leaf, size, hashed, path)).toEqual(root);
        const wrong = [...path];
        const index = path.length === 0 ? 0 : which % path.length;
        const node = Buffer.from(wrong[index] ?? Buffer.alloc(32));
        node[by % 32] = (node[by % 32] ?? 0) ^ (by || 1);
        wrong[index] = node;
        expect(rootFromInclusion(leaf, size, hashed, wrong)?.equals(root) ?? false).toBe(false);
        expect(rootFromInclusion(leaf, size, hashed, [...path, hashed])).toBeUndefined();
        if (path.length > 0) expect(rootFromInclusion(leaf, size, hashed, path.slice(1))?.equals(root) ?? false).toBe(false);
      }),
    );
  });

  it('prove each earlier tree, and no other', () => {
    const { data, read } = grow(70);
    fc.assert(
      fc.property(fc.nat(70), fc.nat(70), (one, other) => {
        const [from, size] = [Math.min(one, other), Math.max(one, other)];
        const [fromRoot, root] = [naiveRoot(data.slice(0, from)), naiveRoot(data.slice(0, size))];
        const path = consistencyPath(from, size, read);
        expect(isConsistent(from, fromRoot, size, root, path)).toBe(true);
        expect(isConsistent(from, leafHash(fromRoot), size, root, path)).toBe(false);
        expect(isConsistent(from, fromRoot, size, leafHash(root), path)).toBe(from === 0 && size !== 0);
        expect(isConsistent(from, fromRoot, size, root, [...path, root])).toBe(false);
        if (path.length > 0) expect(isConsistent(from, fromRoot, size, root, path.slice(1))).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});

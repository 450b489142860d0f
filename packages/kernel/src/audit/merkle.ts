/**
 * The Merkle tree of RFC 6962: hashes of leaves and of nodes cannot be taken for each other, and trees of every size, not only of powers of two, have one
 * shape. A node that is complete never changes, so nodes are kept in the order in which they are completed: after leaf `i` stand the parents that
 * it completes. The place of any node is then a sum.
 */
import { hash } from 'node:crypto';

export const HASH_BYTES = 32;
export const EMPTY_ROOT: Buffer = hash('sha256', '', 'buffer');

const nodeInput = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

export function leafHash(data: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(1 + data.length);
  input[0] = 0;
  input.set(data, 1);
  return hash('sha256', input, 'buffer');
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_BYTES);
  return hash('sha256', nodeInput, 'buffer');
}

/** The right edge of a tree: all it takes to add leaves and to know the root. */
export class Frontier {
  /** Roots of the complete subtrees, from the largest; one for each bit of the size. */
  readonly #subtrees: Buffer[];
  #size: number;

  constructor(size = 0, subtrees: readonly Buffer[] = []) {
    this.#size = size;
    this.#subtrees = [...subtrees];
  }

  get size(): number {
    return this.#size;
  }

  copy(): Frontier {
    return new Frontier(this.#size, this.#subtrees);
  }

  /** Adds a leaf; `onNode` hears of each node it completes, the leaf first. */
  append(leaf: Buffer, onNode?: (node: Buffer) => void): void {
    let node = leaf;
    onNode?.(node);
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      const left = this.#subtrees.pop();
      if (left === undefined) throw new Error('A tree has fewer subtrees than its size says');
      node = nodeHash(left, node);
      onNode?.(node);
    }
    this.#subtrees.push(node);
    this.#size += 1;
  }

  root(): Buffer {
    return (
      this.#subtrees.reduceRight<Buffer | undefined>((right, left) => (right === undefined ? left : nodeHash(left, right)), undefined) ??
      EMPTY_ROOT
    );
  }
}

/** Nodes that are complete in a tree of this size. */
export function nodeCount(size: number): number {
  let ones = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return 2 * size - ones;
}

/** Where the root of the complete subtree over leaves `start` to `start + width` stands; the width is a power of two that divides `start`. */
export function nodePlace(start: number, width: number): number {
  return nodeCount(start + width - 1) + Math.log2(width);
}

/** Reads a complete node by its place. */
export type ReadNode = (place: number) => Buffer;

/** The root over leaves `start` to `end`. */
export function rangeRoot(start: number, end: number, read: ReadNode): Buffer {
  const width = end - start;
  if (width === 0) return EMPTY_ROOT;
  const half = splitOf(width);
  if (half * 2 === width || width === 1) return read(nodePlace(start, width));
  return nodeHash(read(nodePlace(start, half)), rangeRoot(start + half, end, read));
}

/** Roots of the complete subtrees of a tree of this size, from the largest. */
export function subtreesOf(size: number, read: ReadNode): readonly Buffer[] {
  const subtrees: Buffer[] = [];
  for (let start = 0; start < size; ) {
    const width = 2 ** Math.floor(Math.log2(size - start));
    subtrees.push(read(nodePlace(start, width)));
    start += width;
  }
  return subtrees;
}

/** The audit path of a leaf in the tree of `size` leaves, from the leaf up. */
export function inclusionPath(leaf: number, size: number, read: ReadNode): readonly Buffer[] {
  const path: Buffer[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    if (leaf < middle) {
      path.push(rangeRoot(middle, end, read));
      end = middle;
    } else {
      path.push(rangeRoot(start, middle, read));
      start = middle;
    }
  }
  return path.reverse();
}

/** Shows that the first `from` leaves of a tree of `size` are all of a tree of `from`. */
export function consistencyPath(from: number, size: number, read: ReadNode): readonly Buffer[] {
  if (from === 0 || from === size) return [];
  const path: Buffer[] = [];
  let [start, end] = [0, size];
  while (from < end) {
    const middle = start + splitOf(end - start);
    if (from <= middle) {
      path.push(rangeRoot(middle, end, read));
      end = middle;
    } else {
      path.push(rangeRoot(start, middle, read));
      start = middle;
    }
  }
  if (start > 0) path.push(rangeRoot(start, end, read));
  return path.reverse();
}

/** The root that a leaf and its path lead to; undefined when the path does not fit. RFC 9162, 2.1.3.2. */
export function rootFromInclusion(leaf: number, size: number, leafHashed: Buffer, path: readonly Buffer[]): Buffer | undefined {
  if (leaf >= size) return undefined;
  let [index, last, root] = [leaf, size - 1, leafHashed];
  for (const sibling of path) {
    if (last === 0) return undefined;
    if (index % 2 === 1 || index === last) {
      root = nodeHash(sibling, root);
      while (index % 2 === 0 && index !== 0) [index, last] = [half(index), half(last)];
    } else {
      root = nodeHash(root, sibling);
    }
    [index, last] = [half(index), half(last)];
  }
  return last === 0 ? root : undefined;
}

/** Whether the path shows that the tree of `size` begins with the tree of `from`. RFC 9162, 2.1.4.2. */
export function isConsistent(from: number, fromRoot: Buffer, size: number, root: Buffer, path: readonly Buffer[]): boolean {
  if (from > size) return false;
  if (from === size) return path.length === 0 && fromRoot.equals(root);
  if (from === 0) return path.length === 0 && fromRoot.equals(EMPTY_ROOT);
  const [first, ...rest] = Number.isInteger(Math.log2(from)) ? [fromRoot, ...path] : path;
  if (first === undefined) return false;
  let [index, last] = [from - 1, size - 1];
  while (index % 2 === 1) [index, last] = [half(index), half(last)];
  let [oldRoot, newRoot] = [first, first];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (index % 2 === 1 || index === last) {
      oldRoot = nodeHash(sibling, oldRoot);
      newRoot = nodeHash(sibling, newRoot);
      while (index % 2 === 0 && index !== 0) [index, last] = [half(index), half(last)];
    } else {
      newRoot = nodeHash(newRoot, sibling);
    }
    [index, last] = [half(index), half(last)];
  }
  return last === 0 && oldRoot.equals(fromRoot) && newRoot.equals(root);
}

/** The largest power of two smaller than the width; of 1 it is 1. */
function splitOf(width: number): number {
  if (width <= 1) return 1;
  let split = 1;
  while (split * 2 < width) split *= 2;
  return split;
}

function half(value: number): number {
  return Math.floor(value / 2);
}

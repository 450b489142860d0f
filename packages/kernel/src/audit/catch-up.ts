/** Brings the side files up to a head, from what they have or, when that is wrong, from nothing. */
import { Fault } from '@warren/protocol';
import { Frontier, subtreesOf } from './merkle.ts';
import { readLog } from './read-log.ts';
import type { Segment } from './segment.ts';
import type { SideFiles } from './side-files.ts';

export type CatchUpParts = {
  readonly directory: string;
  readonly segments: readonly Segment[];
  readonly sides: SideFiles;
  readonly signal?: AbortSignal | undefined;
};

/** Returns the edge of the tree of that size. Faults: `store_failed` (the entries do not lead to that root). */
export async function catchUp(parts: CatchUpParts, size: number, root: Buffer): Promise<Frontier> {
  const { sides } = parts;
  sides.cut(size);
  const frontier = await extend(parts, size, sides.size);
  if (frontier.root().equals(root)) return frontier;
  sides.cut(0);
  const rebuilt = await extend(parts, size, 0);
  if (rebuilt.root().equals(root)) return rebuilt;
  throw new Fault('store_failed', `Cannot read the audit: its ${size} entries do not lead to its signed head; see: warren audit verify`);
}

async function extend({ directory, segments, sides, signal }: CatchUpParts, size: number, from: number): Promise<Frontier> {
  const frontier = new Frontier(from, subtreesOf(from, sides.readNode));
  if (from === size) return frontier;
  for await (const batch of readLog(directory, segments, { from, to: size, placeOf: (seq) => sides.placeOf(seq), signal })) {
    const nodes: Buffer[] = [];
    const start = frontier.size;
    for (const { leaf } of batch) frontier.append(leaf, (node) => nodes.push(node));
    sides.add(
      start,
      batch.map(({ place }) => place),
      Buffer.concat(nodes),
    );
    await sides.write();
  }
  return frontier;
}

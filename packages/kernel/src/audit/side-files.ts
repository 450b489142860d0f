/**
 * What the log says in a form that is quick to look up: the nodes of the tree, and where each entry stands in its file. Both can be made again from the log, are
 * written late and without being flushed, and are never believed: a node is checked by the proof it is part of, a place by the entry that is found there.
 */
import { constants, fstatSync, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { HASH_BYTES, nodeCount } from './merkle.ts';

const PLACE_BYTES = 4;
/** Nodes that wait in memory to be written. */
const UNWRITTEN_BYTES_MAX = 262_144;

export class SideFiles {
  readonly #tree: FileHandle;
  readonly #places: FileHandle;
  /** Entries that both files cover. */
  #size: number;
  #newNodes: Buffer[] = [];
  #newBytes = 0;
  #newPlaces: number[] = [];

  private constructor(tree: FileHandle, places: FileHandle) {
    this.#tree = tree;
    this.#places = places;
    this.#size = Math.min(sizeOfTree(fstatSync(tree.fd).size), Math.floor(fstatSync(places.fd).size / PLACE_BYTES));
  }

  static async open(treePath: string, placesPath: string): Promise<SideFiles> {
    const flags = constants.O_RDWR | constants.O_CREAT;
    const tree = await open(treePath, flags, 0o600);
    try {
      return new SideFiles(tree, await open(placesPath, flags, 0o600));
    } catch (error) {
      await tree.close();
      throw error;
    }
  }

  /** Entries that are written. */
  get size(): number {
    return this.#size;
  }

  /** What is known of entries from `size` on is forgotten. */
  cut(size: number): void {
    this.#size = Math.min(this.#size, size);
    this.#take();
  }

  /** Adds entries in memory; does nothing when they do not follow those that are there. Returns whether it is time to write. */
  add(seq: number, places: readonly number[], nodes: Buffer): boolean {
    if (seq === this.#size + this.#newPlaces.length) {
      this.#newPlaces.push(...places);
      this.#newNodes.push(nodes);
      this.#newBytes += nodes.length;
    }
    return this.#newBytes >= UNWRITTEN_BYTES_MAX;
  }

  /** Writes what was added. One call at a time; nothing is added until it settled. */
  async write(): Promise<void> {
    const seq = this.#size;
    const { nodes, places } = this.#take();
    if (places.length === 0) return;
    const bytes = Buffer.allocUnsafe(places.length * PLACE_BYTES);
    for (const [index, place] of places.entries()) bytes.writeUInt32LE(place, index * PLACE_BYTES);
    await writeAll(this.#tree, nodes, nodeCount(seq) * HASH_BYTES);
    await writeAll(this.#places, bytes, seq * PLACE_BYTES);
    this.#size = seq + places.length;
  }

  /** Zeros where the file ends early: no proof will hold with them. */
  readonly readNode = (place: number): Buffer => {
    const node = Buffer.alloc(HASH_BYTES);
    readSync(this.#tree.fd, node, 0, HASH_BYTES, place * HASH_BYTES);
    return node;
  };

  placeOf(seq: number): number {
    const place = Buffer.alloc(PLACE_BYTES);
    readSync(this.#places.fd, place, 0, PLACE_BYTES, seq * PLACE_BYTES);
    return place.readUInt32LE(0);
  }

  async close(): Promise<void> {
    await Promise.all([this.#tree.close(), this.#places.close()]);
  }

  #take(): { readonly nodes: Buffer; readonly places: readonly number[] } {
    const taken = { nodes: Buffer.concat(this.#newNodes), places: this.#newPlaces };
    this.#newNodes = [];
    this.#newPlaces = [];
    this.#newBytes = 0;
    return taken;
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}

/** The largest tree whose nodes a file of this length holds. */
function sizeOfTree(bytes: number): number {
  const nodes = Math.floor(bytes / HASH_BYTES);
  let size = Math.ceil(nodes / 2);
  while (nodeCount(size + 1) <= nodes) size += 1;
  return size;
}

/** Compares the two sides of a diff entry. */
import { closeSync } from 'node:fs';
import type { BytePath } from './byte-path.ts';
import { readHead } from './content.ts';
import { errnoOf } from './internal/errno.ts';
import { countLines, diffLines, type Hunk } from './line-diff.ts';
import type { PathState } from './path-state.ts';
import type { Tree } from './tree.ts';

export type ContentDiff =
  | { readonly kind: 'same' }
  | { readonly kind: 'text'; readonly hunks: readonly Hunk[]; readonly insertions: number; readonly deletions: number }
  /** Not shown line by line: no text, too large, too slow to compare, or not ours to read. */
  | { readonly kind: 'binary' | 'large' | 'slow' | 'unreadable'; readonly beforeBytes: number; readonly afterBytes: number };

/** Larger files are named with their sizes. */
const DIFF_BYTES_MAX = 4 * 1_048_576;
/** As git: a zero byte among the first ones makes a file binary. */
const SNIFFED_BYTES = 8_000;
/** Longest for one file, and for all of a diff; after that files count as slow. Comparing is synchronous. */
const FILE_DIFF_MS_MAX = 500;
const TOTAL_DIFF_MS_MAX = 30_000;

type Side = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'binary' | 'large' | 'unreadable' };

export class ContentDiffer {
  readonly #upper: Tree;
  readonly #lower: Tree;
  #msLeft = TOTAL_DIFF_MS_MAX;

  constructor(upper: Tree, lower: Tree) {
    this.#upper = upper;
    this.#lower = lower;
  }

  /** Directories and special files have no content; a link's is where it points. */
  diff(from: BytePath, before: PathState | undefined, to: BytePath, after: PathState | undefined): ContentDiff {
    const left = readSide(this.#lower, from, before);
    const right = readSide(this.#upper, to, after);
    const bytes = { beforeBytes: sizeOf(before), afterBytes: sizeOf(after) };
    if (left.kind !== 'text') return { kind: left.kind, ...bytes };
    if (right.kind !== 'text') return { kind: right.kind, ...bytes };
    if (left.text === right.text) return { kind: 'same' };
    const startedMs = performance.now();
    const hunks = diffLines(left.text, right.text, Math.min(FILE_DIFF_MS_MAX, Math.max(0, this.#msLeft)));
    this.#msLeft -= performance.now() - startedMs;
    return hunks === undefined ? { kind: 'slow', ...bytes } : { kind: 'text', hunks, ...countLines(hunks) };
  }
}

function readSide(tree: Tree, path: BytePath, state: PathState | undefined): Side {
  if (state?.kind === 'symlink') return { kind: 'text', text: state.target };
  if (state?.kind !== 'file') return { kind: 'text', text: '' };
  let file: number;
  try {
    file = tree.openFile(path);
  } catch (error) {
    if (errnoOf(error) === 'EACCES') return { kind: 'unreadable' };
    throw error;
  }
  try {
    const isLarge = state.size > DIFF_BYTES_MAX;
    const bytes = readHead(file, isLarge ? SNIFFED_BYTES : state.size);
    if (bytes.subarray(0, SNIFFED_BYTES).includes(0)) return { kind: 'binary' };
    return isLarge ? { kind: 'large' } : { kind: 'text', text: bytes.toString('latin1') };
  } finally {
    closeSync(file);
  }
}

function sizeOf(state: PathState | undefined): number {
  return state?.kind === 'file' ? state.size : state?.kind === 'symlink' ? state.target.length : 0;
}

/** The changes of a run as data, for `--json`, and as the table of `--stat`. */
import { isUtf8 } from 'node:buffer';
import { type BytePath, pathToBytes, pathToText } from './byte-path.ts';
import type { ContentDiff } from './content-diff.ts';
import type { DiffOptions } from './diff.ts';
import type { DiffEntry } from './diff-entries.ts';
import { OpenDiff } from './open-diff.ts';
import type { PathState } from './path-state.ts';
import type { RefusalReason } from './refusal.ts';
import type { Review } from './review.ts';

export type ChangeKind = 'added' | 'deleted' | 'modified' | 'renamed' | 'mode_changed' | 'type_changed';

export type StateSummary = {
  readonly kind: PathState['kind'];
  /** Octal, as `0644`. */
  readonly mode?: string;
  readonly size?: number;
  readonly target?: string;
};

export type ContentSummary =
  | { readonly kind: 'text'; readonly insertions: number; readonly deletions: number }
  | { readonly kind: 'binary' | 'large' | 'slow' | 'unreadable'; readonly beforeBytes: number; readonly afterBytes: number };

export type ChangeSummary = {
  readonly path: string;
  /** The exact bytes, where they are not UTF-8. */
  readonly pathBase64?: string;
  readonly kind: ChangeKind;
  readonly from?: string;
  readonly fromBase64?: string;
  readonly before?: StateSummary;
  readonly after?: StateSummary;
  readonly content?: ContentSummary;
  readonly attention?: string;
  readonly conflict?: string;
  readonly refused?: { readonly reason: RefusalReason; readonly detail: string };
};

export type DiffSummary = {
  readonly run: string;
  readonly directory: string;
  readonly changes: readonly ChangeSummary[];
  readonly insertions: number;
  readonly deletions: number;
};

export async function summarizeDiff(review: Review, { signal }: DiffOptions = {}): Promise<DiffSummary> {
  const { id, directory } = review.run;
  if (review.changes.length === 0) return { run: id, directory, changes: [], insertions: 0, deletions: 0 };
  using open = new OpenDiff(review, signal);
  const changes: ChangeSummary[] = [];
  let insertions = 0;
  let deletions = 0;
  for (const entry of await open.entries()) {
    if (open.pace.isDue) await open.pace.rest();
    const content = open.differ.diff(entry.from ?? entry.path, entry.before, entry.path, entry.after);
    if (content.kind === 'text') {
      insertions += content.insertions;
      deletions += content.deletions;
    }
    changes.push(summarize(entry, content));
  }
  return { run: id, directory, changes, insertions, deletions };
}

function summarize(entry: DiffEntry, content: ContentDiff): ChangeSummary {
  const { path, from, before, after, change, deletion } = entry;
  const attention = change.attention ?? deletion?.attention;
  const summary = contentSummary(content);
  return {
    ...pathSummary(path),
    kind: kindOf(entry, content),
    ...(from === undefined ? {} : fromSummary(from)),
    ...(before === undefined ? {} : { before: stateSummary(before) }),
    ...(after === undefined ? {} : { after: stateSummary(after) }),
    ...(summary === undefined ? {} : { content: summary }),
    ...(attention === undefined ? {} : { attention }),
    ...(change.status.kind === 'conflict' ? { conflict: change.status.reason } : {}),
    ...(change.refusal === undefined ? {} : { refused: { reason: change.refusal.reason, detail: change.refusal.detail } }),
  };
}

function kindOf({ from, before, after }: DiffEntry, content: ContentDiff): ChangeKind {
  if (from !== undefined) return 'renamed';
  if (before === undefined) return 'added';
  if (after === undefined) return 'deleted';
  if (before.kind !== after.kind) return 'type_changed';
  return content.kind === 'same' && before.kind !== 'symlink' ? 'mode_changed' : 'modified';
}

function contentSummary(content: ContentDiff): ContentSummary | undefined {
  if (content.kind === 'same') return undefined;
  if (content.kind === 'text') return { kind: 'text', insertions: content.insertions, deletions: content.deletions };
  return content;
}

function stateSummary(state: PathState): StateSummary {
  if (state.kind === 'symlink') return { kind: 'symlink', target: pathToText(state.target) };
  const mode = state.mode.toString(8).padStart(4, '0');
  return state.kind === 'file' ? { kind: 'file', mode, size: state.size } : { kind: state.kind, mode };
}

function pathSummary(path: BytePath): { readonly path: string; readonly pathBase64?: string } {
  const base64 = base64IfNeeded(path);
  return { path: pathToText(path), ...(base64 === undefined ? {} : { pathBase64: base64 }) };
}

function fromSummary(path: BytePath): { readonly from: string; readonly fromBase64?: string } {
  const base64 = base64IfNeeded(path);
  return { from: pathToText(path), ...(base64 === undefined ? {} : { fromBase64: base64 }) };
}

function base64IfNeeded(path: BytePath): string | undefined {
  const bytes = pathToBytes(path);
  return isUtf8(bytes) ? undefined : bytes.toString('base64');
}

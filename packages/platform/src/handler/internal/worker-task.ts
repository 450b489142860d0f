/** What a worker thread may be asked for: work on hostile text that could keep a thread busy for hours. Everything that crosses is plain data. */
import type { Outline, OutlineRequest } from '../code/outline/outline-source.ts';
import type { GroupCount, GroupRequest } from './count-groups.ts';
import type { SpanRequest, Spans } from './find-spans.ts';
import type { Replaced, ReplaceRequest } from './replace-matches.ts';
import type { DiffRequest, UnifiedDiff } from './unified-diff.ts';

export type WorkerTasks = {
  readonly outline: { readonly input: OutlineRequest; readonly output: Outline };
  readonly replace: { readonly input: ReplaceRequest; readonly output: Replaced };
  readonly diff: { readonly input: DiffRequest; readonly output: UnifiedDiff };
  readonly spans: { readonly input: SpanRequest; readonly output: Spans };
  readonly groups: { readonly input: GroupRequest; readonly output: GroupCount };
};
export type WorkerTaskName = keyof WorkerTasks;

export type WorkerQuestion = { readonly task: WorkerTaskName; readonly input: unknown };
export type WorkerAnswer =
  | { readonly kind: 'done'; readonly output: unknown }
  /** An error that a definition names. */
  | { readonly kind: 'refused'; readonly type: string; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };

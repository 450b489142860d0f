/**
 * The review of a run. `warren run` lets an agent work on an overlay: the host's directory is the lower side and never written to, everything
 * the run changes lands in a layer of its own in the state directory. Afterwards a person looks at the layer (`reviewRun`, then `patchText`
 * or `summarizeDiff`), brings it onto the host (`applyRun`), takes that back (`undoRun`), or throws it away (`dropRun`).
 *
 * What must hold: an agent's bytes and names never reach the host but through apply, never lead it out of the directory, and never reach a
 * terminal raw; what the host changed meanwhile is never overwritten unasked; and a kill at any instruction leaves each file with its old or
 * its new content, with a way forward and a way back.
 *
 * Where to start reading: run-store.ts (what is recorded, who may use it), scan.ts (what an overlay leaves), manifest.ts (the seal),
 * plan-apply.ts and apply-steps.ts, undo.ts. Everything walks directories with tree.ts, which follows no link.
 */
export { type ApplyOptions, type ApplyPreview, type ApplyResult, applyRun, previewApply } from './apply.ts';
export { type BytePath, pathToText } from './byte-path.ts';
export { type DiffOptions, patchBytes, patchText } from './diff.ts';
export { formatStat, type StatOptions } from './diff-stat.ts';
export {
  type ChangeKind,
  type ChangeSummary,
  type ContentSummary,
  type DiffSummary,
  type StateSummary,
  summarizeDiff,
} from './diff-summary.ts';
export { dropRun } from './drop.ts';
export type { HeldRun } from './held-run.ts';
export type { RefusalReason } from './refusal.ts';
export { type Review, type ReviewedChange, type ReviewOptions, reviewRun } from './review.ts';
export type { RunId } from './run-id.ts';
export type { RunPaths } from './run-paths.ts';
export type { LayerRecord, LayerState, RunExit, RunRecord } from './run-record.ts';
export { type CloseRunRequest, type OpenRunRequest, type RunList, RunStore, type RunStoreOptions } from './run-store.ts';
export type { OpaqueProbe } from './scan.ts';
export { openStateDirectory, type StateDirectoryOptions, stateDirectoryPath } from './state-directory.ts';
export { escapeForTerminal, escapeLineForTerminal } from './terminal-text.ts';
export { type UndoOptions, type UndoResult, undoRun } from './undo.ts';

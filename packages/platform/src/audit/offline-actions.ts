/**
 * What people do to a state directory while no daemon runs on it: a line each in a file of its own, which the next start takes into the audit before anything else. Who can write the
 * file could change the store, too; it is there so that nothing is forgotten, and is no proof.
 */
import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Fault, type JsonObject } from '@warren/protocol';

/** `audit.restart` and `store.restore` let the next start go on with another audit than the store remembers. */
export type OfflineActionName =
  | 'audit.restart'
  | 'store.restore'
  | 'capability.install'
  | 'capability.remove'
  | 'workspace.export'
  | 'workspace.import';
export type OfflineAction = { readonly action: string; readonly at: number; readonly by: string; readonly details: JsonObject };

const FILE = 'offline-actions.jsonl';
const BYTES_MAX = 1_048_576;
const WORD_MAX = 256;

/** On disk when it returns. */
export function noteOfflineAction(
  directory: string,
  action: OfflineActionName,
  details: JsonObject,
  { at, by }: Omit<OfflineAction, 'action' | 'details'>,
): void {
  appendFileSync(join(directory, FILE), `${JSON.stringify({ action, at, by, details })}\n`, { mode: 0o600, flush: true });
}

/** A line that is none is told as one: nothing in the file keeps a start from happening. Faults: `too_large`. */
export function readOfflineActions(directory: string): readonly OfflineAction[] {
  let text: string;
  try {
    text = readFileSync(join(directory, FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []; // What it throws has a code.
    throw error;
  }
  if (text.length > BYTES_MAX) {
    throw new Fault('too_large', `Cannot read ${join(directory, FILE)}: it is larger than ${BYTES_MAX} bytes`);
  }
  return text.split('\n').flatMap((line) => (line === '' ? [] : [parse(line)]));
}

export function forgetOfflineActions(directory: string): void {
  rmSync(join(directory, FILE), { force: true });
}

function parse(line: string): OfflineAction {
  try {
    const { action, at, by, details } = JSON.parse(line) as Record<string, unknown>;
    const isOne = typeof action === 'string' && action !== '' && typeof at === 'number' && typeof by === 'string' && by !== '';
    if (isOne && typeof details === 'object' && details !== null && !Array.isArray(details)) {
      return { action: action.slice(0, WORD_MAX), at, by: by.slice(0, WORD_MAX), details: details as JsonObject }; // It was parsed from JSON.
    }
  } catch {
    // Told below.
  }
  return { action: 'offline.unreadable', at: 0, by: 'unknown', details: { line: line.slice(0, WORD_MAX) } };
}

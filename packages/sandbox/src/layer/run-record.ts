/** What is written down about a run: `<state>/runs/<id>/run.json`, version 1. */
import type { Exit, LimitName, ProfileName, SignalName } from '../contract.ts';
import { SIGNALS } from '../signals.ts';
import { readBoolean, readFields, readInteger, readList, readMatch, readOneOf, readText, ShapeError } from './internal/shape.ts';
import { isRunId, type RunId } from './run-id.ts';

const PROFILES = ['permissive', 'moderate', 'restrictive'] as const satisfies readonly ProfileName[];
const LIMIT_NAMES = [
  'memory',
  'cpu',
  'pids',
  'file_size',
  'open_files',
  'disk',
  'deadline',
  'output',
] as const satisfies readonly LimitName[];
const LAYER_STATES = ['empty', 'pending', 'applied', 'undone', 'dropped'] as const;
const TEXT_MAX = 4 * 1_048_576;
const ARGUMENTS_MAX = 32_768;

/** How the command ended: the contract's `Exit` without what was measured. */
export type RunExit =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: SignalName }
  | { readonly kind: 'stopped'; readonly by: LimitName | 'caller' | 'destroyed'; readonly detail: string }
  | { readonly kind: 'not_started'; readonly code: 125 | 126 | 127; readonly call: string; readonly path: string; readonly errno: string };

/**
 * - `empty`: the run changed nothing.
 * - `pending`: some of its changes are not applied, perhaps none.
 * - `applied`: all that can be are.
 * - `undone`: they were, and the previous content is back; they can be applied again.
 * - `dropped`: the layer was thrown away.
 */
export type LayerState = (typeof LAYER_STATES)[number];

export type LayerRecord = {
  readonly state: LayerState;
  /** Number of changed paths. Absent until the layer is sealed. */
  readonly changes?: number;
  /** Whether something was applied that undo can take back. */
  readonly isUndoable: boolean;
};

export type RunRecord = {
  readonly id: RunId;
  readonly createdAt: string;
  readonly endedAt?: string;
  readonly command: readonly string[];
  /** Canonical. */
  readonly directory: string;
  readonly profile: ProfileName;
  /** `crashed`: whoever ran it ended without closing it. Its layer can be reviewed all the same. */
  readonly status: 'open' | 'ended' | 'crashed';
  /** Absent while open, after a crash, and when the sandbox broke. */
  readonly exit?: RunExit;
  /** Nanoseconds of the clock that stamps files, when the run began. A host file changed later was changed during the run. */
  readonly startedNs: string;
  readonly layer: LayerRecord;
};

export function exitRecord(exit: Exit | RunExit): RunExit {
  switch (exit.kind) {
    case 'exited':
      return { kind: 'exited', code: exit.code };
    case 'signalled':
      return { kind: 'signalled', signal: exit.signal };
    case 'stopped':
      return { kind: 'stopped', by: exit.by, detail: exit.detail };
    case 'not_started':
      return { kind: 'not_started', code: exit.code, call: exit.call, path: exit.path, errno: exit.errno };
    default:
      return exit satisfies never;
  }
}

export function recordToText(record: RunRecord): string {
  return `${JSON.stringify({ version: 1, ...record }, undefined, 2)}\n`;
}

/** Throws `ShapeError` or `SyntaxError`. */
export function readRecord(text: string): RunRecord {
  const optional = ['endedAt', 'exit'];
  const required = ['version', 'id', 'createdAt', 'command', 'directory', 'profile', 'status', 'startedNs', 'layer'];
  const fields = readFields(JSON.parse(text), 'run', required, optional);
  readOneOf(`${fields['version']}`, 'version', ['1']);
  return {
    id: readId(fields['id']),
    createdAt: readTime(fields['createdAt'], 'createdAt'),
    ...(fields['endedAt'] === undefined ? {} : { endedAt: readTime(fields['endedAt'], 'endedAt') }),
    command: readList(fields['command'], 'command', ARGUMENTS_MAX, (item, where) => readText(item, where, TEXT_MAX)),
    directory: readMatch(fields['directory'], 'directory', /^\/[^\0]*$/),
    profile: readOneOf(fields['profile'], 'profile', PROFILES),
    status: readOneOf(fields['status'], 'status', ['open', 'ended', 'crashed']),
    ...(fields['exit'] === undefined ? {} : { exit: readExit(fields['exit']) }),
    startedNs: readMatch(fields['startedNs'], 'startedNs', /^\d{1,20}$/),
    layer: readLayer(fields['layer']),
  };
}

function readId(value: unknown): RunId {
  const id = readText(value, 'id', 100);
  if (!isRunId(id)) throw new ShapeError('id is not the id of a run');
  return id;
}

function readTime(value: unknown, where: string): string {
  return readMatch(value, where, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
}

function readLayer(value: unknown): LayerRecord {
  const fields = readFields(value, 'layer', ['state', 'isUndoable'], ['changes']);
  return {
    state: readOneOf(fields['state'], 'layer.state', LAYER_STATES),
    ...(fields['changes'] === undefined ? {} : { changes: readInteger(fields['changes'], 'layer.changes') }),
    isUndoable: readBoolean(fields['isUndoable'], 'layer.isUndoable'),
  };
}

function readExit(value: unknown): RunExit {
  const any = readFields(value, 'exit', ['kind'], ['code', 'signal', 'by', 'detail', 'call', 'path', 'errno']);
  const kind = readOneOf(any['kind'], 'exit.kind', ['exited', 'signalled', 'stopped', 'not_started']);
  switch (kind) {
    case 'exited':
      return { kind: 'exited', code: readInteger(readFields(value, 'exit', ['kind', 'code'])['code'], 'exit.code', 255) };
    case 'signalled': {
      const signals = Object.keys(SIGNALS) as SignalName[]; // The keys are the names, by its type.
      return { kind: 'signalled', signal: readOneOf(readFields(value, 'exit', ['kind', 'signal'])['signal'], 'exit.signal', signals) };
    }
    case 'stopped': {
      const fields = readFields(value, 'exit', ['kind', 'by', 'detail']);
      const by = readOneOf(fields['by'], 'exit.by', [...LIMIT_NAMES, 'caller', 'destroyed']);
      return { kind: 'stopped', by, detail: readText(fields['detail'], 'exit.detail', TEXT_MAX) };
    }
    case 'not_started': {
      const fields = readFields(value, 'exit', ['kind', 'code', 'call', 'path', 'errno']);
      const code = ([125, 126, 127] as const).find((one) => one === fields['code']) ?? 125;
      const text = (key: string): string => readText(fields[key], `exit.${key}`, TEXT_MAX);
      return { kind: 'not_started', code, call: text('call'), path: text('path'), errno: text('errno') };
    }
    default:
      return kind satisfies never;
  }
}

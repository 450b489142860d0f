/** What callers ask of runs, checked once and before any transaction: what is written then is text, which nobody changes any more. */
import { Fault } from '@warren/protocol';
import type { JsonObject } from '../internal/json.ts';
import { checkWord, copyPayload, serializePayload } from '../internal/payload.ts';
import { type NewRunStep, RUN_OUTCOMES, RUN_STATES, type RunFilter, type RunRow, STEP_KINDS } from '../store/tables/run-table.ts';
import type { CreateRun, Park, RunLease, Step, Used } from './runs.ts';

const STEPS_AT_ONCE_MAX = 256;
/** Of one run. Its end always has room. */
const STEPS_MAX = 100_000;
const BYTES_MAX = 268_435_456;
const AWAITED_MAX = 256;
const WAITS_FOR_BYTES_MAX = 4_096;
/** `task` and `end` come from the run itself. */
const OPEN_KINDS = STEP_KINDS.filter((kind) => kind !== 'task' && kind !== 'end');
const PRIORITY_MAX = 1_000_000;
const TIME_MAX = 8_640_000_000_000_000;
/** So that no sum of them is too large for a number. */
const USED_MAX = 1_000_000_000_000;

export type CheckedRun = Pick<RunRow, 'pid' | 'title' | 'session' | 'priority'> & {
  readonly task: JsonObject;
  readonly terms: JsonObject;
  readonly first: NewRunStep;
};

export function checkRun({ pid, task, terms = {}, title, session, priority = 0 }: CreateRun): CheckedRun {
  serializePayload(task, 'task', 'invalid_payload');
  serializePayload(terms, 'terms', 'invalid_payload');
  const json = serializePayload({ task, terms }, 'task and terms', 'invalid_payload');
  const copy = JSON.parse(json) as Pick<CheckedRun, 'task' | 'terms'>; // It was just written.
  return {
    ...copy,
    pid: checkInteger(pid, 'pid', 0, Number.MAX_SAFE_INTEGER),
    title: title === undefined ? '' : checkWord(title, 'title', 'invalid_payload'),
    session: session === undefined ? undefined : checkWord(session, 'session', 'invalid_payload'),
    priority: checkInteger(priority, 'priority', -PRIORITY_MAX, PRIORITY_MAX),
    first: { kind: 'task', json },
  };
}

export function checkSteps(steps: readonly Step[]): readonly NewRunStep[] {
  if (!Array.isArray(steps) || steps.length === 0 || steps.length > STEPS_AT_ONCE_MAX)
    throw invalid('steps', `they are no list of 1 to ${STEPS_AT_ONCE_MAX}`);
  return steps.map((step: Step, index) => {
    const kind = OPEN_KINDS.find((each) => each === step?.kind); // Untyped callers pass anything.
    if (kind === undefined) throw invalid(`steps[${index}].kind`, `it is none of ${OPEN_KINDS.join(', ')}`);
    return { kind, json: serializePayload(step.body, `steps[${index}].body`, 'invalid_payload') };
  });
}

export function checkUsed({ tokens = 0, costMicro = 0 }: Used): { readonly tokens: number; readonly costMicro: number } {
  return { tokens: checkInteger(tokens, 'tokens', 0, USED_MAX), costMicro: checkInteger(costMicro, 'cost_micro', 0, USED_MAX) };
}

export function checkLease(lease: RunLease): RunLease {
  const { entry, fence } = lease ?? {}; // As above.
  return {
    entry: checkInteger(entry, 'lease.entry', 0, Number.MAX_SAFE_INTEGER),
    fence: checkInteger(fence, 'lease.fence', 0, Number.MAX_SAFE_INTEGER),
  };
}

/** As it stands in the row. */
export type CheckedPark = {
  readonly waitsFor: JsonObject;
  readonly after: number;
  readonly calls: readonly string[];
  readonly runs: readonly number[];
  readonly until: number | undefined;
};

export function checkPark({ for: what, after, calls = [], runs = [], until }: Park): CheckedPark {
  const about = copyPayload(what, 'for', 'invalid_payload', WAITS_FOR_BYTES_MAX);
  const awaited = {
    calls: checkList(calls, 'calls').map((each) => checkWord(each, 'calls', 'invalid_payload')),
    runs: checkList(runs, 'runs').map((each) => checkInteger(each, 'runs', 0, Number.MAX_SAFE_INTEGER)),
  };
  if (until !== undefined) checkInteger(until, 'until', 0, TIME_MAX);
  return {
    ...awaited,
    until,
    after: checkInteger(after, 'after', -1, Number.MAX_SAFE_INTEGER),
    waitsFor: {
      for: about,
      ...(awaited.calls.length === 0 ? {} : { calls: awaited.calls }),
      ...(awaited.runs.length === 0 ? {} : { runs: awaited.runs }),
      ...(until === undefined ? {} : { until }),
    },
  };
}

export function checkEnd(outcome: string, result: JsonObject): JsonObject {
  if (!RUN_OUTCOMES.some((each) => each === outcome)) throw invalid('outcome', `it is none of ${RUN_OUTCOMES.join(', ')}`);
  return copyPayload(result, 'result', 'invalid_payload');
}

export function checkFilter(filter: RunFilter): RunFilter {
  const { state } = filter;
  if (state !== undefined && !RUN_STATES.includes(state)) throw invalid('state', `it is none of ${RUN_STATES.join(', ')}`);
  return filter;
}

/** Throws `too_large` when these do not fit into its journal; messages have half of it, so that nobody fills it from outside. */
export function requireRoom({ id, steps, bytes }: RunRow, more: readonly NewRunStep[], share: 1 | 2): void {
  const added = more.reduce((sum, { json }) => sum + Buffer.byteLength(json), 0);
  if (steps + more.length > STEPS_MAX / share) throw full(id, `it has ${steps} steps, the limit is ${STEPS_MAX / share}`);
  if (bytes + added > BYTES_MAX / share) throw full(id, `its journal has ${bytes} bytes, the limit is ${BYTES_MAX / share}`);
}

function checkList<T>(list: readonly T[], field: string): readonly T[] {
  if (Array.isArray(list) && list.length <= AWAITED_MAX) return list;
  throw invalid(field, `it is no list of at most ${AWAITED_MAX}`);
}

function checkInteger(value: number | undefined, field: string, least: number, most: number): number {
  if (value !== undefined && Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw invalid(field, `it is not a whole number from ${least} to ${most}`);
}

function full(id: number, why: string): Fault {
  return new Fault('too_large', `Cannot add to run ${id}: ${why}`, { details: { run: id } });
}

function invalid(field: string, why: string): Fault {
  return new Fault('invalid_payload', `Cannot use ${field}: ${why}`, { details: { field } });
}

/** FAILED and REFUSED: why a sandbox did not start, as one line of JSON. */
import { Fault } from '@warren/protocol';
import { errnoName } from './errno.ts';

/** The step that failed. `error` is the name of `errno`. */
export type StartFailure = {
  readonly stage: string;
  readonly call: string;
  readonly path: string;
  readonly errno: number;
  readonly error: string;
};

/** Says which wall a failed step belongs to, and what fixes it: the backend knows, the protocol does not. */
export type ExplainFailure = (failure: StartFailure) => { readonly wall: string; readonly fix?: string | undefined };

const WORD_MAX = 100;
const PATH_MAX = 4_096;

/** Throws `protocol_error` when it is not what the protocol says. */
export function decodeStartFailure(payload: Buffer): StartFailure {
  let value: unknown;
  try {
    value = JSON.parse(payload.toString('utf8'));
  } catch (cause) {
    throw new Fault('protocol_error', 'Cannot understand why the sandbox did not start: the answer is not JSON', { cause });
  }
  const fields: Readonly<Record<string, unknown>> = typeof value === 'object' && value !== null ? { ...value } : {};
  const { stage, call, path, errno } = fields as { stage?: unknown; call?: unknown; path?: unknown; errno?: unknown }; // Each is checked below.
  const text = (part: unknown, lengthMax: number): string | undefined =>
    part === undefined || part === null ? '' : typeof part === 'string' && part.length <= lengthMax ? part : undefined;
  const parts = { stage: text(stage, WORD_MAX), call: text(call, WORD_MAX), path: text(path, PATH_MAX) };
  if (!parts.stage || parts.call === undefined || parts.path === undefined || !Number.isInteger(errno)) {
    throw new Fault(
      'protocol_error',
      'Cannot understand why the sandbox did not start: the answer does not name a stage, a call, a path and an errno',
    );
  }
  const number = errno as number; // Just checked.
  return { stage: parts.stage, call: parts.call, path: parts.path, errno: number, error: errnoName(number) };
}

/** The fault a failed start throws. */
export function startFault(failure: StartFailure, explain?: ExplainFailure | undefined): Fault<'wall_unavailable'> {
  const { stage, call, path, error } = failure;
  const { wall, fix } = explain?.(failure) ?? { wall: stage };
  const where = [call, path === '' ? '' : JSON.stringify(path)].filter((part) => part !== '').join(' ');
  return new Fault('wall_unavailable', `Cannot start a sandbox: ${wall} is not available (${stage}: ${where}: ${error})`, {
    details: { wall, stage, call, path, errno: error, fix },
  });
}

/** One call: carried out, watched, counted and answered. */
import { Fault, type FaultCode, isFault, type JsonObject, type JsonRpcError, type JsonRpcId } from '@warren/protocol';
import type { Log } from '../observe/log.ts';
import type { ObserveCall } from '../observe/observe-calls.ts';
import type { TraceParent } from '../telemetry/tracing.ts';
import { failure, success } from './answer-text.ts';
import { protocolError } from './protocol-error.ts';
import { readEnvelope } from './read-envelope.ts';
import { errorOf } from './rpc-fault.ts';

/** What a caller must have; the rest is between who dispatches and the methods. */
export type Traced = { readonly traceParent?: TraceParent | undefined };

/** Carries out one call. `params` is what came over the wire, an object of anything. Its faults are answered as they are. */
export type Method<Caller> = (params: JsonObject, caller: Caller) => Promise<unknown>;

export type CallParts<Caller extends Traced> = {
  readonly find: (name: string) => Method<Caller> | undefined;
  readonly log: Log;
  readonly observe: ObserveCall;
  /** Names a failure of ours: the answer and the log line have it. */
  readonly createErrorId: () => string;
};

export type CallOutcome =
  /** `result`: as JSON. */
  | { readonly kind: 'answered'; readonly result: string }
  /** What is told of it can be said in JSON. */
  | { readonly kind: 'failed'; readonly fault: Fault }
  | { readonly kind: 'unknown'; readonly error: JsonRpcError };

export class Calls<Caller extends Traced> {
  readonly #parts: CallParts<Caller>;
  readonly #callsMax: number;
  #running = 0;
  readonly #whenIdle: (() => void)[] = [];

  constructor(parts: CallParts<Caller>, callsMax: number) {
    this.#parts = parts;
    this.#callsMax = callsMax;
  }

  /** A request of JSON-RPC. Undefined for a notification. Never rejects. */
  async answer(request: unknown, caller: Caller): Promise<string | undefined> {
    const envelope = readEnvelope(request);
    if (envelope.kind === 'invalid') return failure(envelope.id, envelope.error);
    const { id, method, params } = envelope;
    const outcome = await this.carryOut(method, params, caller);
    return id === undefined ? undefined : answerOf(outcome, id);
  }

  /** Whatever carried it. Never rejects. */
  async carryOut(method: string, params: unknown, caller: Caller): Promise<CallOutcome> {
    const run = this.#parts.find(method);
    const operation = run === undefined ? 'unknown' : method;
    const end = this.#parts.observe({ operation, traceParent: caller.traceParent });
    if (run === undefined) {
      const error = protocolError(
        'unknown_method',
        `Cannot call ${quote(method)}: there is no such method; \`warren kernel methods\` lists them`,
      );
      end({ kind: 'failed', code: error.code, fault: 'unknown_method' });
      return { kind: 'unknown', error };
    }
    this.#running++;
    try {
      if (this.#running > this.#callsMax) {
        throw new Fault('busy', `Cannot call ${method}: ${this.#callsMax} calls are under way, which is the limit`);
      }
      const result: string | undefined = JSON.stringify(await run(readParams(method, params), caller));
      end({ kind: 'answered' });
      return { kind: 'answered', result: result ?? 'null' };
    } catch (error) {
      const fault = this.#explain(operation, error);
      end({ kind: 'failed', code: errorOf(fault).code, fault: fault.code });
      return { kind: 'failed', fault };
    } finally {
      this.#running--;
      if (this.#running === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
    }
  }

  /** Resolves when none is under way. */
  idle(): Promise<void> {
    return this.#running === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** What a failure is to the caller. Of an error of ours it gets only the name; the log has the rest. */
  #explain(operation: string, error: unknown): Fault {
    const { log, createErrorId } = this.#parts;
    if (isFault(error) && error.code !== 'internal' && isJson(error.details)) {
      if (IN_THE_LOG.has(error.code)) log.error(error.message, { operation, fault: error.code });
      return error;
    }
    const errorId = createErrorId();
    log.error('An operation failed', { operation, error_id: errorId, stack: stackOf(error) });
    return new Fault('internal', `Cannot carry out ${operation}: an error of ours, in the log as ${errorId}`, {
      details: { error_id: errorId },
    });
  }
}

function answerOf(outcome: CallOutcome, id: JsonRpcId): string {
  switch (outcome.kind) {
    case 'answered':
      return success(id, outcome.result);
    case 'failed':
      return failure(id, errorOf(outcome.fault));
    case 'unknown':
      return failure(id, outcome.error);
    default:
      return outcome satisfies never;
  }
}

/** What the operator has to do something about, whoever's call it hit. */
const IN_THE_LOG: ReadonlySet<FaultCode> = new Set<FaultCode>(['store_failed', 'storage_full']);

/** Whether it can be said in JSON at all. */
function isJson(details: unknown): boolean {
  try {
    JSON.stringify(details);
    return true;
  } catch {
    return false; // A loop, or a number too large: the caller of this reports the fault itself.
  }
}

function readParams(method: string, params: unknown): JsonObject {
  if (params === undefined || params === null) return {};
  if (typeof params === 'object' && !Array.isArray(params)) return params as JsonObject; // It was parsed from JSON.
  const kind = Array.isArray(params) ? 'a list' : `a ${typeof params}`;
  throw new Fault('invalid_argument', `Cannot call ${method}: its parameters are ${kind}, expected an object with their names`, {
    details: { field: 'params' },
  });
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return `Thrown: ${typeof error}`;
  const cause = error.cause === undefined ? '' : `\ncaused by ${error.cause instanceof Error ? error.cause.stack : typeof error.cause}`;
  return `${error.stack ?? error.message}${cause}`;
}

const QUOTED_CHARACTERS_MAX = 80;

function quote(name: string): string {
  const head = name.slice(0, QUOTED_CHARACTERS_MAX).toWellFormed();
  return JSON.stringify(name.length > QUOTED_CHARACTERS_MAX ? `${head}…` : head);
}

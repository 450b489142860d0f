/**
 * A call of a capability, and what becomes of it while a person has to approve it: it is held for a while. Who can show a form is told who has to say yes and how, and
 * may go on waiting or give up. Saying yes is not among what the form can do: whoever sits at the client is not asked for a decision, and nothing said there is one.
 */
import type { Answer, CallRequest, Gate } from '@warren/kernel';
import { Fault, isFault, type JsonObject } from '@warren/protocol';
import type { Seat } from '../../caller/seats.ts';
import { isObject } from '../../internal/is-object.ts';
import { showsForms } from '../engine/capabilities.ts';
import { invalidParams } from '../engine/mcp-error.ts';
import type { HostRequest, Outcome } from '../host.ts';

export type HeldCallParts = {
  readonly gate: Gate;
  readonly seat: Seat;
  /** How long a request waits for a person. */
  readonly holdMs: number;
  /** One of those that this caller has for calls that wait. Throws `busy`. */
  readonly takePlace: () => Disposable;
  /** Fires when the daemon stops. */
  readonly stopping: AbortSignal;
};

export type Held = { readonly kind: 'answered'; readonly answer: Answer } | Extract<Outcome, { readonly kind: 'ask' }>;

type Pending = Extract<Answer, { readonly kind: 'pending' }>;

const SIGN_OF_LIFE_MS = 5_000;
/** Until there is a decision, or nobody wants to know any more. */
const DECISION_MS_MAX = 86_400_000;
const QUESTION = 'approval';
const WAIT = 'wait';
const GIVE_UP = 'give up';

export async function holdCall(call: Omit<CallRequest, 'pid'>, request: HostRequest, parts: HeldCallParts): Promise<Held> {
  const { gate, seat } = parts;
  if (request.state !== undefined) return await goOn(call.capability, request, parts);
  const answer = await gate.call(seat.workspace, { ...call, pid: seat.pid, onAsk: 'return' }, request.signal);
  if (answer.kind !== 'pending') return { kind: 'answered', answer };
  return showsForms(request.client) ? askToWait(answer, parts) : await wait(answer, request, parts);
}

/** The answer of a call that was made before, as far as it is there after waiting so long. Throws `busy` when this caller waits for too much. */
export async function awaitCall(
  callId: string,
  waitMs: number,
  request: HostRequest,
  { gate, seat, takePlace, stopping }: HeldCallParts,
): Promise<Answer> {
  const { workspace, pid } = seat;
  const look = (ms: number, signal?: AbortSignal): Promise<Answer> => gate.result(workspace, callId, { waitMs: ms, pid }, signal);
  if (waitMs === 0) return await look(0);
  using _place = takePlace();
  const startedMs = performance.now();
  const tell = (): void => {
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    request.progress(seconds, undefined, `Waiting for a person to approve call ${callId}`);
  };
  const signs = setInterval(tell, SIGN_OF_LIFE_MS);
  signs.unref();
  try {
    return await look(waitMs, AbortSignal.any([request.signal, stopping]));
  } catch (error) {
    if (!request.signal.aborted && stopping.aborted && isFault(error, 'aborted')) return await look(0);
    throw error;
  } finally {
    clearInterval(signs);
  }
}

async function wait(pending: Pending, request: HostRequest, parts: HeldCallParts): Promise<Held> {
  const { gate, seat, holdMs } = parts;
  request.progress(0, undefined, `A person has to approve this first: ${approveCommand(pending)}`);
  try {
    return { kind: 'answered', answer: await awaitCall(pending.callId, holdMs, request, parts) };
  } catch (error) {
    // Nobody holds it then, and it is asked about later.
    if (isFault(error, 'busy')) return { kind: 'answered', answer: pending };
    // Whoever takes the request back takes the question back.
    if (request.signal.aborted) await gate.cancel(seat.workspace, pending.callId, { pid: seat.pid });
    throw error;
  }
}

/** The client comes back to a call that was waiting. */
async function goOn(capability: string, request: HostRequest, parts: HeldCallParts): Promise<Held> {
  const { gate, seat } = parts;
  const callId = isObject(request.state) ? request.state['call_id'] : undefined;
  if (typeof callId !== 'string') throw invalidParams('Cannot go on: the request state is of no call');
  if (givesUp(request.answers)) await gate.cancel(seat.workspace, callId, { pid: seat.pid });
  const now = await gate.result(seat.workspace, callId, { pid: seat.pid });
  if (now.capability !== capability) throw new Fault('invalid_argument', 'Cannot go on: the request state is of another call');
  if (now.kind !== 'pending') return { kind: 'answered', answer: now };
  const waited = await wait(now, request, parts);
  return waited.kind === 'answered' && waited.answer.kind === 'pending' && !parts.stopping.aborted
    ? askToWait(waited.answer, parts)
    : waited;
}

function askToWait(pending: Pending, { gate, seat: { workspace, pid } }: HeldCallParts): Held {
  const { callId, capability, expiresAt } = pending;
  const message =
    `${capability} has to be approved by a person before it runs. It cannot be approved here: run \`${approveCommand(pending)}\` on the machine, ` +
    `or \`warren approvals watch\`, by ${new Date(expiresAt).toISOString()}. Wait for it, or give up?`;
  return {
    kind: 'ask',
    state: { call_id: callId },
    questions: { [QUESTION]: { method: 'elicitation/create', params: { message, requestedSchema: FORM } } },
    until: async (signal) => void (await gate.result(workspace, callId, { waitMs: DECISION_MS_MAX, pid }, signal)),
  };
}

const FORM: JsonObject = {
  type: 'object',
  properties: {
    next: {
      type: 'string',
      title: 'What now?',
      description: 'Waiting does not approve anything; giving up withdraws the call',
      enum: [WAIT, GIVE_UP],
      default: WAIT,
    },
  },
  required: ['next'],
};

/** Whoever closes the form has not said that the call is to go on. Without an answer nobody has said anything. */
function givesUp(answers: JsonObject | undefined): boolean {
  const answer = answers?.[QUESTION];
  if (!isObject(answer)) return false;
  const { action, content } = answer;
  return action !== 'accept' || (isObject(content) && content['next'] === GIVE_UP);
}

export function approveCommand({ approvalId }: { readonly approvalId: string }): string {
  return `warren approvals approve ${approvalId}`;
}

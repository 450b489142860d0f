/**
 * A model in the name of a process: it has to be granted, there has to be room in every budget before anything is asked, what streams is charged while it does, and whoever spends more than there is
 * is cut off. Whatever wraps it, nothing is asked twice for one price: it stands outside of retries and fallbacks.
 */
import type { WorkspaceKernel } from '@warren/kernel';
import { Fault } from '@warren/protocol';
import { tokensUsed } from './complete.ts';
import { tokensOfRequest, tokensOfText } from './estimate-tokens.ts';
import type { Model, ModelFinish, ModelPart, ModelRequest } from './model.ts';

export type Meter = {
  readonly kernel: Pick<WorkspaceKernel, 'grants' | 'ledger'>;
  readonly pid: number;
  /** In millionths of a dollar, of `provider/model`: what so many tokens cost, about. */
  readonly costOf: (model: string, tokens: { readonly input: number; readonly output: number }) => number;
};

/** Set aside for the answer, before it is known how long it gets. */
const ANSWER_TOKENS = 256;
/** Charged together while an answer streams. */
const STEP_TOKENS = 512;
/** What is counted while it streams must not be more than the provider says at the end. */
const CERTAIN_SHARE = 0.75;

/** Faults of a stream: also `permission_denied` (no grant), `quota_exceeded` (dim), and what the ledger fails with. */
export function meteredModel(model: Model, meter: Meter): Model {
  return {
    name: model.name,
    contextTokens: model.contextTokens,
    async *stream(request, signal) {
      await requireGrant(meter, model.name);
      await using bill = await Bill.open(meter, model.name, request);
      for await (const part of model.stream(request, signal)) {
        if (part.type === 'start' && part.model !== model.name) await requireGrant(meter, part.model);
        await bill.add(part);
        yield part;
      }
    },
  };
}

async function requireGrant({ kernel, pid }: Meter, name: string): Promise<void> {
  if (await kernel.grants.checkModel(pid, name)) return;
  throw new Fault('permission_denied', `Cannot ask ${name}: process ${pid} holds no grant of it`, {
    details: { pid, field: 'model_grants', model: name },
  });
}

/** What one answer costs: what it has used so far is charged when it ends, however it does. */
class Bill implements AsyncDisposable {
  readonly #meter: Meter;
  readonly #reservation: number;
  readonly #inputTokens: number;
  #name: string;
  #isAsked = false;
  #answerTokens = 0;
  #charged = { tokens: 0, costMicros: 0 };
  #finish: ModelFinish | undefined;
  #isSettled = false;

  private constructor(meter: Meter, name: string, inputTokens: number, reservation: number) {
    this.#meter = meter;
    this.#name = name;
    this.#inputTokens = inputTokens;
    this.#reservation = reservation;
  }

  static async open(meter: Meter, name: string, request: ModelRequest): Promise<Bill> {
    const inputTokens = tokensOfRequest(request);
    const amounts = {
      tokens: inputTokens + ANSWER_TOKENS,
      cost_micro: Math.ceil(meter.costOf(name, { input: inputTokens, output: ANSWER_TOKENS })),
    };
    const reserved = await meter.kernel.ledger.reserve(meter.pid, amounts);
    if (reserved.kind === 'reserved') return new Bill(meter, name, inputTokens, reserved.reservation.id);
    const { dim, used, granted } = reserved;
    throw new Fault('quota_exceeded', `Cannot ask ${name}: ${used} of ${granted} ${dim} are used, and this takes more than is left`, {
      details: { pid: meter.pid, dim, used, hard_limit: granted },
    });
  }

  async add(part: ModelPart): Promise<void> {
    switch (part.type) {
      case 'start':
        this.#name = part.model;
        this.#isAsked = true;
        return;
      case 'text':
      case 'reasoning':
      case 'tool_input_delta':
        this.#answerTokens += CERTAIN_SHARE * tokensOfText(part.text);
        if (this.#used().tokens - this.#charged.tokens >= STEP_TOKENS + this.#inputTokens) await this.#charge();
        return;
      case 'finish':
        this.#finish = part;
        return await this[Symbol.asyncDispose]();
      default:
    }
  }

  /** What there is besides what was set aside; throws when it was too much. */
  async #charge(): Promise<void> {
    const due = this.#due();
    this.#charged = this.#used();
    const charges = await this.#meter.kernel.ledger.record(this.#meter.pid, due);
    const over = charges.map(({ charged }) => charged).find(({ isOver }) => isOver);
    if (over !== undefined) throw overspent(this.#meter.pid, this.#name, over);
  }

  #used(): { readonly tokens: number; readonly costMicros: number } {
    if (this.#finish !== undefined) return { tokens: tokensUsed(this.#finish), costMicros: this.#finish.cost.micros };
    if (!this.#isAsked) return { tokens: 0, costMicros: 0 };
    const [input, output] = [Math.floor(CERTAIN_SHARE * this.#inputTokens), Math.floor(this.#answerTokens)];
    return { tokens: input + output, costMicros: Math.floor(this.#meter.costOf(this.#name, { input, output })) };
  }

  #due(): Readonly<Record<string, number>> {
    const { tokens, costMicros } = this.#used();
    return { tokens: Math.max(0, tokens - this.#charged.tokens), cost_micro: Math.max(0, costMicros - this.#charged.costMicros) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isSettled) return;
    this.#isSettled = true;
    await this.#meter.kernel.ledger.settle(this.#reservation, this.#due());
  }
}

type Charged = Awaited<ReturnType<WorkspaceKernel['ledger']['charge']>>;

function overspent(pid: number, name: string, { dim, used, granted }: Charged): Fault {
  return new Fault('quota_exceeded', `Cannot go on with ${name}: ${used} of ${granted} ${dim} are used`, {
    details: { pid, dim, used, hard_limit: granted },
  });
}

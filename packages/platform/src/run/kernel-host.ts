/** The host of a run in the process that has the kernel: journal, gate and models at first hand. */
import type { Answer, Gate, RunStep as KernelStep, RunLease, RunRecord, Step, WorkspaceKernel } from '@warren/kernel';
import type { JsonObject, JsonValue } from '@warren/protocol';
import type { Registry } from '../capability/registry.ts';
import { tokensUsed } from '../model/complete.ts';
import { type Meter, meteredModel } from '../model/metered-model.ts';
import type { Model, ModelPart } from '../model/model.ts';
import type { CallAnswer, RunHost, RunTerms, ToolCall } from './run-host.ts';
import type { RunStep, SaidContent, StepBody } from './run-step.ts';
import { contentOf, type Toolset, ToolTable } from './tool-table.ts';

export type KernelHostParts = {
  readonly platform: { readonly gate: Gate; readonly capabilities: Registry };
  readonly mine: WorkspaceKernel;
  readonly run: Pick<RunRecord, 'id' | 'pid'>;
  readonly lease: RunLease;
  readonly terms: RunTerms & { readonly toolsets: readonly Toolset[] };
  readonly model: Model;
  readonly costOf: Meter['costOf'];
  readonly now: () => number;
  readonly onPart: (part: ModelPart) => void;
};

export function openKernelHost(parts: KernelHostParts): RunHost {
  const { platform, mine, run, lease, terms, now, onPart } = parts;
  let table: ToolTable | undefined;

  const readTools = async (): Promise<ToolTable> => {
    table = await ToolTable.read(platform, mine.id, run.pid, terms.toolsets);
    return table;
  };
  const stepsFrom = async (from: number): Promise<readonly RunStep[]> => {
    const steps: RunStep[] = [];
    for (;;) {
      const page = await mine.runs.steps(run.id, { after: from + steps.length - 1 });
      if (page.length === 0) return steps;
      steps.push(...page.map(toStep));
    }
  };

  return {
    run: run.id,
    terms,
    model: meteredModel(parts.model, { kernel: mine, pid: run.pid, costOf: parts.costOf }),
    now,
    steps: stepsFrom,
    async append(from, steps) {
      await mine.runs.append(run.id, lease, steps.map(fromStep), usedBy(steps));
      return await stepsFrom(from);
    },
    tools: async () => (await readTools()).list,
    call: async (call, signal) => await callTool(parts, table ?? (await readTools()), call, signal),
    say: onPart,
    async park(from, { calls = [], runs = [], until }) {
      const wait = { calls: [...calls], runs: [...runs] };
      await mine.runs.park(run.id, lease, { ...wait, for: wait, after: from - 1, ...(until !== undefined && { until }) });
      return true; // What has come already queues it again, for whoever claims it next.
    },
    async end(from, outcome, result) {
      const after = outcome === 'stopped' ? undefined : from - 1;
      return (await mine.runs.end(run.id, lease, outcome, toJson(result), { after })) !== undefined;
    },
  };
}

/** A call that outlives the loop goes on: whoever asks under its key again gets what came of it. */
async function callTool(
  { platform, mine, run }: KernelHostParts,
  table: ToolTable,
  call: ToolCall,
  signal: AbortSignal,
): Promise<CallAnswer> {
  const tool = table.find(call.tool);
  if (tool === undefined) return failed(table.noSuchTool(call.tool));
  const request = { pid: run.pid, capability: tool.capability, input: tool.toInput(call.input), idempotencyKey: call.key };
  const answer = await untilAborted(platform.gate.call(mine.id, request), signal);
  if (answer.kind === 'pending') return { kind: 'waits', for: { calls: [answer.callId], until: answer.expiresAt } };
  return { kind: 'answered', outcome: outcomeOf(answer), content: contentOf(answer, tool, call.input), callId: answer.callId };
}

function failed(text: string): CallAnswer {
  const content: SaidContent = [{ type: 'text', text }];
  return { kind: 'answered', outcome: 'failed', content };
}

function outcomeOf(answer: Answer & { readonly kind: 'done' | 'failed' }): 'done' | 'failed' | 'unknown' {
  if (answer.kind === 'done') return 'done';
  return answer.error.type === 'OutcomeUnknown' ? 'unknown' : 'failed';
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  work.catch(() => {}); // It may fail when nobody waits any more.
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

type KernelKind = Step['kind'];

function fromStep(step: StepBody): Step {
  const kind = step.kind === 'trouble' ? 'note' : (step.kind as KernelKind); // The run itself writes the first and the last.
  return { kind, body: toJson(step) };
}

function toStep({ seq, at, kind, body }: KernelStep): RunStep {
  switch (kind) {
    case 'task':
      return { seq, at, kind, content: (body['task'] as { readonly content: SaidContent }).content }; // `startRun` wrote it.
    case 'end':
      return { ...(body as unknown as StepBody & { readonly kind: 'end' }), seq, at, kind };
    case 'note':
      return body['kind'] === 'trouble' ? { ...(body as unknown as StepBody), seq, at } : { seq, at, kind };
    default:
      return { ...(body as unknown as StepBody), seq, at, kind } as RunStep; // `fromStep` wrote it, or `postMessage`.
  }
}

function usedBy(steps: readonly StepBody[]): { readonly tokens: number; readonly costMicro: number } {
  let [tokens, costMicro] = [0, 0];
  for (const step of steps) {
    if (step.kind === 'model') [tokens, costMicro] = [tokens + tokensUsed(step), costMicro + step.cost.micros];
    if (step.kind === 'summary') [tokens, costMicro] = [tokens + step.tokens, costMicro + step.costMicros];
  }
  return { tokens, costMicro };
}

/** What is undefined is left out. */
function toJson(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject & { readonly [name: string]: JsonValue };
}

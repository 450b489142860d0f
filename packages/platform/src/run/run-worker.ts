/** Works off runs in this process, many at once: each is a loop on a lease, and whoever dies leaves to others what it had. */
import { type RunResult as Attempt, createWorker, type Kernel, type ScheduledClaim, type Worker } from '@warren/kernel';
import { type Fault, isFault, type WorkspaceId } from '@warren/protocol';
import type { Meter } from '../model/metered-model.ts';
import type { Model, ModelPart } from '../model/model.ts';
import type { Platform } from '../platform.ts';
import { openKernelHost } from './kernel-host.ts';
import { runLoop } from './run-loop.ts';
import { type KeptTerms, limitsOf, readTerms } from './start-run.ts';

export type RunWorkerParts = {
  readonly kernel: Kernel;
  readonly platform: Pick<Platform, 'gate' | 'capabilities'>;
  /** What a run asks, with what stands in for it. Faults: those of opening a model, which end the run. */
  readonly openModel: (workspace: WorkspaceId, terms: KeptTerms) => Promise<Model>;
  readonly costOf: Meter['costOf'];
  readonly now: () => number;
  readonly worker?: string | undefined;
  /** Loops at once. Default 200. */
  readonly concurrency?: number | undefined;
  readonly leaseMs?: number | undefined;
  /** What models say, as they say it. */
  readonly onPart?: ((workspace: WorkspaceId, run: number, part: ModelPart) => void) | undefined;
  readonly onError?: ((error: unknown) => void) | undefined;
};

const CONCURRENCY = 200;

export function createRunWorker(parts: RunWorkerParts): Worker {
  const { kernel, worker = 'runner', concurrency = CONCURRENCY, leaseMs, onError } = parts;
  return createWorker({
    ...{ worker, concurrency, leaseMs, onError, areRuns: true },
    scheduler: kernel.scheduler,
    queueOf: (workspace) => kernel.workspace(workspace).queue,
    onCommit: (listener) => kernel.store.onCommit(listener),
    run: async (claim, signal) => await workOff(parts, claim, signal),
  });
}

/** The run itself ends its entry, by parking or ending; what is thrown is an attempt that failed, and somebody goes on. */
async function workOff(parts: RunWorkerParts, { workspace, entry, fence }: ScheduledClaim, signal: AbortSignal): Promise<Attempt> {
  const mine = parts.kernel.workspace(workspace);
  const lease = { entry: entry.id, fence };
  const run = await mine.runs.get(Number(entry.payload['run']));
  const terms = readTerms(run);
  const { system, answer, reasoning, toolsets } = terms;
  try {
    const model = await parts.openModel(workspace, terms);
    const host = openKernelHost({
      ...{ platform: parts.platform, mine, run, lease, model, costOf: parts.costOf, now: parts.now },
      terms: { system, answer, reasoning, toolsets, limits: limitsOf(terms) },
      onPart: (part) => parts.onPart?.(workspace, run.id, part),
    });
    await runLoop(host, signal);
  } catch (error) {
    if (signal.aborted && whyOf(signal.reason) === 'terminate')
      await mine.runs.end(run.id, lease, 'stopped', { text: '', reason: 'it was told to stop' });
    else if (!signal.aborted && isFault(error) && isFinal(error))
      await mine.runs.end(run.id, lease, 'failed', { text: '', reason: error.message });
    else throw error;
  }
  return { exitKind: 'completed' };
}

function whyOf(reason: unknown): unknown {
  return isFault(reason) ? (reason.details as { readonly why?: unknown } | undefined)?.why : undefined; // Details are facts by name.
}

/** Trying again would end in the same way. */
function isFinal({ code }: Fault): boolean {
  return (
    code === 'invalid_argument' || code === 'not_found' || code === 'unsupported' || code === 'permission_denied' || code === 'too_large'
  );
}

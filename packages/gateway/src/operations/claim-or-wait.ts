import type { ScheduledClaim, WorkspaceKernel } from '@warren/kernel';

type ClaimOptions = Parameters<WorkspaceKernel['queue']['claim']>[0];

/** Of what kind events are after which there may be work where there was none. */
const MAY_BRING_WORK = /^kernel\.(?:queue|process|ledger)\./;

/**
 * Claims in one workspace; if there is nothing, waits for what happens there and looks again. When the time is over or `signal` fires it ends with
 * nothing, and what was being claimed is given back.
 */
export async function claimOrWait(
  { id: workspace, queue, events }: WorkspaceKernel,
  options: ClaimOptions,
  waitMs: number,
  signal: AbortSignal | undefined,
): Promise<readonly ScheduledClaim[]> {
  // From before the first look: what happens during it is heard.
  let { nextId } = await events.extent();
  let claims = await queue.claim(options);
  if (claims.length === 0 && waitMs > 0) {
    const timeIsOver = AbortSignal.timeout(waitMs);
    const ending = signal === undefined ? timeIsOver : AbortSignal.any([signal, timeIsOver]);
    for await (const { id, kind } of events.subscribe({ after: nextId - 1, gaps: 'skip' }, ending)) {
      if (id < nextId || !MAY_BRING_WORK.test(kind)) continue;
      // One look answers for everything that happened before it.
      ({ nextId } = await events.extent());
      claims = await queue.claim(options);
      if (claims.length > 0) break;
    }
  }
  if (signal?.aborted !== true) return claims.map((claim) => ({ ...claim, workspace }));
  await Promise.allSettled(claims.map(({ entry, fence }) => queue.release(entry.id, fence))); // Where it fails, the lease runs out.
  return [];
}

/** What `run` is built on. Apart from review.ts, so that a run without a directory does not load how to review one. */
import { openSandboxes, type Sandboxes } from '@warren/sandbox';

export async function openRunSandboxes(): Promise<Sandboxes> {
  return await openSandboxes({ spares: 0 }); // One sandbox, and then we end: nothing is worth making ahead.
}

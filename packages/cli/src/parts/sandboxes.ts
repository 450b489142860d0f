/** What `run` is built on. Apart from review.ts, so that a run without a directory does not load how to review one. */
import { openSandboxes, type Sandboxes } from '@warren/sandbox';

export async function openRunSandboxes(): Promise<Sandboxes> {
  return await openSandboxes();
}

/** What `run` and `doctor` are built on. Apart from review.ts, so that a run without a directory does not load how to review one. */
import { diagnose, openSandboxes, type Sandboxes } from '@warren/sandbox';

export { diagnose };

export async function openRunSandboxes(): Promise<Sandboxes> {
  return await openSandboxes();
}

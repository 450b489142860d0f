/** What `run` is built on. Apart from review.ts, so that a run without a directory does not load how to review one. */
import { openSandboxes, type Sandboxes } from '@warren/sandbox';

/** `caFile`: authorities that hosts may have their certificates of, besides those that everybody trusts. Throws what `readAuthorities` throws. */
export async function openRunSandboxes(caFile?: string): Promise<Sandboxes> {
  const egress = caFile === undefined ? {} : { egress: { tls: { ca: await authorities(caFile) } } };
  return await openSandboxes({ spares: 0, ...egress }); // One sandbox, and then we end: nothing is worth making ahead.
}

async function authorities(path: string): Promise<readonly string[]> {
  const { readAuthorities } = await import('@warren/sandbox/egress');
  return await readAuthorities(path, '--ca');
}

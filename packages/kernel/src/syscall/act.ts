/**
 * Step 8, the only place where an implementation is reached. It has until its deadline; when its signal fires it has a grace to end, and then the
 * call is answered without it. What it brings later is recorded and changes nothing.
 */

import type { CallWatch, Stop } from './call-watch.ts';
import type { ActContext, Acted, Capability } from './capability.ts';

export type ActEnd =
  | { readonly kind: 'acted'; readonly acted: Acted }
  /** It threw. */
  | { readonly kind: 'threw'; readonly error: unknown }
  /** It was told to end and did not. `late` is how it ends after all. */
  | { readonly kind: 'abandoned'; readonly stop: Stop; readonly late: Promise<LateEnd> }
  /** It was stopped before it began. */
  | { readonly kind: 'never_began'; readonly stop: Stop };

export type LateEnd = Exclude<ActEnd, { readonly kind: 'abandoned' | 'never_began' }>;

export async function act(
  capability: Capability,
  context: Omit<ActContext, 'signal'>,
  watch: CallWatch,
  { deadlineMs, leftMs, graceMs }: { readonly deadlineMs: number; readonly leftMs: number; readonly graceMs: number },
): Promise<ActEnd> {
  if (watch.recheck !== undefined) await watch.recheck;
  if (watch.stopped !== undefined) return { kind: 'never_began', stop: watch.stopped };
  const ending = run(capability, {
    ...context,
    get signal() {
      return watch.signal; // Made when it is asked for: many implementations never look.
    },
  });
  let deadline: NodeJS.Timeout | undefined;
  let grace: NodeJS.Timeout | undefined;
  const abandoned = new Promise<ActEnd>((resolve) => {
    deadline = setTimeout(() => watch.stop({ kind: 'deadline', deadlineMs }), leftMs);
    watch.onStop(() => {
      const stop = watch.stopped;
      if (stop !== undefined) grace = setTimeout(() => resolve({ kind: 'abandoned', stop, late: ending }), graceMs);
    });
  });
  try {
    return await Promise.race([ending, abandoned]);
  } finally {
    clearTimeout(deadline);
    clearTimeout(grace);
  }
}

/** Never rejects. */
async function run(capability: Capability, context: ActContext): Promise<LateEnd> {
  try {
    return { kind: 'acted', acted: await capability.act(context) };
  } catch (error) {
    return { kind: 'threw', error };
  }
}

import { safeLines } from '../../internal/safe-text.ts';
import type { KernelContext } from './kernel-context.ts';

export async function prometheus({ operations, host }: KernelContext): Promise<number> {
  const { text } = await operations.call('kernel.observe.prometheus', {});
  await host.stdout.write(safeLines(text));
  return 0;
}

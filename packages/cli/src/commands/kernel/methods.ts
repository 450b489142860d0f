import { safeText } from '../../internal/safe-text.ts';
import type { MethodsFlags } from '../../program/kernel-commands.ts';
import { formatTotal } from './counts.ts';
import { type KernelContext, printJson } from './kernel-context.ts';

export async function methods(flags: MethodsFlags, { operations, host }: KernelContext): Promise<number> {
  const found = await operations.call('kernel.api.list_methods', flags.tier === undefined ? {} : { tier: flags.tier });
  if (flags.json === true) return await printJson(host, found);
  for (const method of found.methods) await host.stdout.write(`${safeText(method)}\n`);
  // Apart from the names, so that those can be piped.
  await host.stderr.write(`${formatTotal(found.methods.length, found.tier_counts)}\n`);
  return 0;
}

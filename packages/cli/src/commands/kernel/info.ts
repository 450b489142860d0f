import { formatLabelled } from '../../internal/labelled.ts';
import { safeText } from '../../internal/safe-text.ts';
import type { WorkspaceFlags } from '../../program/state-options.ts';
import { formatCounts } from './counts.ts';
import { type KernelContext, printJson } from './kernel-context.ts';

export async function info(flags: WorkspaceFlags, { operations, host }: KernelContext): Promise<number> {
  const found = await operations.call('kernel.api.version_info', {});
  if (flags.json === true) return await printJson(host, found);
  await host.stdout.write(
    formatLabelled([
      ['kernel_version', safeText(found.kernel_version)],
      ['schema_version', `${found.schema_version}`],
      ['api_version', safeText(found.api_version)],
      ['methods', formatCounts(found.tier_counts)],
      ['rfcs_implemented', found.rfcs_implemented.join(', ')],
    ]),
  );
  return 0;
}

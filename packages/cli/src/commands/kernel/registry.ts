import { safeText } from '../../internal/safe-text.ts';
import { formatTable } from '../../internal/table.ts';
import type { RegistryFlags } from '../../program/kernel-commands.ts';
import { type KernelContext, printJson, widthOf } from './kernel-context.ts';
import { tellTotal } from './tell-total.ts';

export async function registry(flags: RegistryFlags, { operations, host }: KernelContext): Promise<number> {
  const { prefix, tag, limit } = flags;
  const found = await operations.call('kernel.registry.list', {
    limit,
    ...(prefix !== undefined && { prefix }),
    ...(tag !== undefined && { tag }),
  });
  if (flags.json === true) return await printJson(host, found);
  const columns = [{ title: 'PID', align: 'right' }, { title: 'NAME' }, { title: 'TAGS' }] as const;
  const rows = found.entries.map(({ pid, name, tags }) => [`${pid}`, safeText(name), tags.map(safeText).join(', ')]);
  if (rows.length > 0) await host.stdout.write(formatTable(columns, rows, widthOf(host)));
  await tellTotal(host, rows.length, found.total, 'names');
  return 0;
}

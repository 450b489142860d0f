import { formatDuration } from '@warren/protocol';
import { count } from '../../internal/count.ts';
import { formatLabelled } from '../../internal/labelled.ts';
import { safeText } from '../../internal/safe-text.ts';
import { formatSize } from '../../internal/size.ts';
import type { WorkspaceFlags } from '../../program/state-options.ts';
import { formatTotal } from './counts.ts';
import { type KernelContext, printJson } from './kernel-context.ts';

export async function summary(flags: WorkspaceFlags, { operations, host }: KernelContext): Promise<number> {
  const found = await operations.call('kernel.observe.summary', {});
  if (flags.json === true) return await printJson(host, found);
  const { agents, events, scheduler, ledger, mailbox, fs, registry } = found;
  const { total, ...states } = agents;
  const entries = Object.values(scheduler).reduce((sum, each) => sum + each, 0);
  await host.stdout.write(
    formatLabelled([
      ['kernel', `${safeText(found.kernel_version)}, schema v${found.schema_version}`],
      ['uptime', operations.kind === 'daemon' ? formatDuration(found.uptime_s * 1_000) : 'no daemon runs; this is what it left'],
      ['agents', formatTotal(total, states)],
      ['events', `${events.total}${events.total === 0 ? '' : `, the newest is ${events.max_event_id}`}`],
      ['scheduler', formatTotal(entries, scheduler)],
      ['ledger', `${count(ledger.agents_with_budgets, 'budget')}, ${ledger.breached} breached`],
      ['mailbox', `${countBoxes(mailbox.mailboxes)}, ${count(mailbox.pending_messages, 'message')} pending`],
      ['fs', `${count(fs.objects, 'file')}, ${formatSize(fs.total_bytes)}`],
      ['registry', count(registry.entries, 'name')],
    ]),
  );
  return 0;
}

function countBoxes(boxes: number): string {
  return boxes === 1 ? '1 mailbox' : `${boxes} mailboxes`;
}

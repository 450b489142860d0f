/** Everything about one process. */

import { Fault } from '@warren/protocol';
import type { ProcessView } from '@warren/protocol/contract';
import { count } from '../../internal/count.ts';
import { formatLabelled, type LabelledLine } from '../../internal/labelled.ts';
import { safeJson, safeText } from '../../internal/safe-text.ts';
import { formatSize } from '../../internal/size.ts';
import { agentsCommand } from '../../internal/state-path.ts';
import type { WorkspaceFlags } from '../../program/state-options.ts';
import { formatTotal } from './counts.ts';
import { type KernelContext, printJson } from './kernel-context.ts';

const EVENTS_SHOWN = 10;

export async function proc(pid: number, flags: WorkspaceFlags, { operations, host }: KernelContext): Promise<number> {
  const view = await operations.call('kernel.observe.proc', { pid });
  if (view.process === null) {
    throw new Fault('unknown_pid', `Cannot show process ${pid}: workspace "${flags.workspace}" never had one of this number`, {
      details: { pid, fix: agentsCommand(flags) },
    });
  }
  if (flags.json === true) return await printJson(host, view);
  const { ledger, mailbox, scheduler, fs, recent_events: events } = view;
  const { names } = view.registry;
  const entries = Object.values(scheduler).reduce((sum, each) => sum + each, 0);
  await host.stdout.write(
    formatLabelled([
      ...processLines(view.process),
      ...grantLines(view.capability),
      ...ledger.map(
        ({ dim, used, granted }): LabelledLine => ['ledger', `${safeText(dim)} used=${used}/${granted}${share(used, granted)}`],
      ),
      ...(ledger.length === 0 ? [['ledger', 'no budget'] as const] : []),
      ['mailbox', mailboxWord(mailbox)],
      ['scheduler', formatTotal(entries, scheduler)],
      ['fs', `${count(fs.object_count, 'file')}, ${formatSize(fs.total_bytes)}`],
      ['registry', names.length === 0 ? 'no names' : names.map(safeText).join(', ')],
      ...events.slice(-EVENTS_SHOWN).map(({ event_id, kind }): LabelledLine => ['event', `[${event_id}] ${safeText(kind)}`]),
    ]),
  );
  return 0;
}

function processLines(process: NonNullable<ProcessView['process']>): readonly LabelledLine[] {
  const { pid, name, template, state, state_reason, parent_pid, agent, exit_kind, exit_detail, metadata } = process;
  const lines: (LabelledLine | undefined)[] = [
    ['process', `${pid} ${safeText(name)}`],
    ['template', safeText(template)],
    ['state', `${state}${state_reason === null ? '' : `, ${safeText(state_reason)}`}`],
    parent_pid === null ? undefined : ['parent', `${parent_pid}, when it ends: ${process.on_parent_end}`],
    agent === null ? undefined : ['agent', safeText(agent)],
    process.pending_signal === null ? undefined : ['asked to', process.pending_signal],
    ['created', timeWord(process.created_at)],
    process.started_at === null ? undefined : ['started', timeWord(process.started_at)],
    process.ended_at === null ? undefined : ['ended', timeWord(process.ended_at)],
    exit_kind === null ? undefined : ['exit', `${exit_kind}${exit_detail === null ? '' : ` ${safeJson(exit_detail)}`}`],
    Object.keys(metadata).length === 0 ? undefined : ['metadata', safeJson(metadata)],
  ];
  return lines.filter((line) => line !== undefined);
}

function grantLines(grant: ProcessView['capability']): readonly LabelledLine[] {
  if (grant === null) return [['capability', 'none']];
  const { tool_grants, fs_grants, net_grants, model_grants, sub_agent } = grant;
  return [
    ['tools', listWord(tool_grants)],
    ['files', listWord(fs_grants.map(({ prefix, mode }) => `${prefix} (${mode})`))],
    ['hosts', listWord(net_grants)],
    ['models', listWord(model_grants)],
    ['sub-agents', sub_agent ? 'allowed' : 'none'],
  ];
}

function listWord(words: readonly string[]): string {
  return words.length === 0 ? 'none' : words.map(safeText).join(', ');
}

function mailboxWord({ exists, queue_size, pending, subscriptions }: ProcessView['mailbox']): string {
  if (!exists) return 'none';
  const topics = subscriptions.length === 0 ? '' : `, subscribed to ${subscriptions.map(safeText).join(', ')}`;
  return `${pending} of ${queue_size} pending${topics}`;
}

function share(used: number, granted: number): string {
  return granted > 0 ? ` (${Math.floor((used / granted) * 100)}%)` : '';
}

function timeWord(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}

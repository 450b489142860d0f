/** `warren approvals list`: each question on a line, or many of them by agent and capability. */
import type { ApprovalRecord } from '@warren/protocol/contract';
import { count } from '../internal/count.ts';
import { openWorkspaceClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { nextCommand } from '../internal/state-path.ts';
import { formatTable } from '../internal/table.ts';
import type { ApprovalListFlags } from '../program/approval-commands.ts';

/** More than these are a list that nobody reads. */
const EACH_MAX = 20;

export async function approvalsList(flags: ApprovalListFlags, host: Host): Promise<number> {
  const { limit, agent, before } = flags;
  await using client = await openWorkspaceClient(flags, host, 'list approvals');
  const state = flags.all === true ? {} : { state: 'pending' as const };
  const found = await client.call('approval.list', {
    ...state,
    limit,
    ...(agent !== undefined && { agent }),
    ...(before !== undefined && { before }),
  });
  if (flags.json === true) {
    await host.stdout.write(`${safeJson(found, 2)}\n`);
    return 0;
  }
  if (found.approvals.length === 0) {
    await host.stderr.write('warren: nothing waits for an answer\n');
    return 0;
  }
  const isGrouped = flags.each !== true && flags.all !== true && agent === undefined && found.approvals.length > EACH_MAX;
  const width = host.stdout.size?.columns ?? Number.POSITIVE_INFINITY;
  await host.stdout.write(isGrouped ? groupTable(found.approvals, host.now(), width) : table(found.approvals, host.now(), width));
  const hint = async (text: string, command: string): Promise<void> =>
    await host.stderr.write(`warren: ${text}: ${nextCommand(`approvals list ${command}`, flags)}\n`);
  if (isGrouped) await hint(`${count(found.approvals.length, 'question')} by agent and capability; each of them`, '--each');
  else if (found.approvals.some(({ input_is_whole }) => !input_is_whole))
    await host.stderr.write(
      `warren: where it says "cut", arguments are shortened; all of them: ${nextCommand('approvals show ID', flags)}\n`,
    );
  const behind = found.pending - found.approvals.length;
  const last = found.approvals.at(-1);
  if (flags.all !== true && agent === undefined && before === undefined && behind > 0 && last !== undefined)
    await hint(`${behind} more wait; the next`, `--before ${last.approval_id}`);
  return 0;
}

function table(approvals: readonly ApprovalRecord[], nowMs: number, width: number): string {
  const columns = [
    ...([{ title: 'APPROVAL' }, { title: 'STATE' }, { title: 'AGE' }, { title: 'EXPIRES' }, { title: 'FOR' }] as const),
    ...([{ title: 'AGENT' }, { title: 'CALL' }] as const),
  ];
  const rows = approvals.map((each) => [
    each.approval_id,
    each.state,
    age(nowMs / 1_000 - each.created_at),
    each.state === 'pending' ? `in ${age(each.expires_at - nowMs / 1_000)}` : '',
    whoMay(each),
    safeText(each.agent),
    `${safeText(each.capability)}${each.input_is_whole ? '' : ' (cut)'} ${safeJson(each.edited_input ?? each.input)}`,
  ]);
  return formatTable(columns, rows, width);
}

/** The largest first, each with its oldest question: with that one begins whoever answers them. */
function groupTable(approvals: readonly ApprovalRecord[], nowMs: number, width: number): string {
  const groups = Object.values(Object.groupBy(approvals, ({ agent, capability }) => `${capability} ${agent}`)).flatMap((each = []) => {
    const oldest = each.at(-1);
    return oldest === undefined ? [] : [{ oldest, size: each.length }];
  });
  const columns = [
    { title: 'WAIT', align: 'right' },
    { title: 'AGENT' },
    { title: 'CAPABILITY' },
    { title: 'AGE' },
    { title: 'OLDEST' },
  ] as const;
  const rows = groups
    .toSorted((one, other) => other.size - one.size)
    .map(({ oldest, size }) => [
      ...[String(size), safeText(oldest.agent), safeText(oldest.capability)],
      ...[age(nowMs / 1_000 - oldest.created_at), oldest.approval_id],
    ]);
  return formatTable(columns, rows, width);
}

/** In one unit: how long is all one wants to know. */
function age(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole}s`;
  if (whole < 7_200) return `${Math.floor(whole / 60)}m`;
  return whole < 172_800 ? `${Math.floor(whole / 3_600)}h` : `${Math.floor(whole / 86_400)}d`;
}

/** Who may decide now, and how many of them have to. */
function whoMay({ terms: { quorum, approvers, escalate }, votes, escalated_at }: ApprovalRecord): string {
  const asked = [...approvers, ...(escalated_at === null ? [] : (escalate?.to ?? []))];
  const who = approvers.length === 0 ? 'anybody' : safeText(asked.join(' '));
  return quorum === 1 ? who : `${who} (${votes.length} of ${quorum})`;
}

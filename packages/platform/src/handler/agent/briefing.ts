/** What happened since a time, as an agent needs to know it to go on. */
import type { JsonObject } from '@warren/protocol';
import type { HandlerContext } from '../../capability/handler.ts';
import { countKept } from '../comms/kept-messages.ts';
import { isoOf } from '../internal/iso-time.ts';
import type { AgentParts } from './agent-parts.ts';

const SUMMARY_MAX = 10;
const DETAILED_MAX = 200;
const EVENTS_MAX = 1_000;
const WRITING = /^(?:filesystem\.(?:write|edit|append|delete|move|copy|restore|mkdir)|code\.(?:edit|multi_edit|patch)|network\.download)$/;
const PROCESS_KINDS = ['kernel.process.created', 'kernel.process.terminated', 'kernel.process.transitioned'];

export async function createBriefing(
  parts: AgentParts,
  { mine, actor }: HandlerContext,
  since: number,
  isDetailed: boolean,
): Promise<JsonObject> {
  const most = isDetailed ? DETAILED_MAX : SUMMARY_MAX;
  const calls = await parts.callsOf(actor.workspace, actor.pid, since);
  const changes = calls
    .filter(({ action }) => WRITING.test(action))
    .slice(0, most)
    .map(({ action, input, at }) => ({ capability: action, path: String(input?.['path'] ?? input?.['destination'] ?? ''), at: isoOf(at) }));
  const events = (await mine.events.newest({ pid: actor.pid, limit: EVENTS_MAX })).filter(
    ({ at, kind }) => at >= since && PROCESS_KINDS.includes(kind),
  );
  const { approvals } = await mine.approvals.list({ state: 'pending', pid: actor.pid }, { limit: most });
  // Alerts are listed by agent; what belongs to none is not all this process's.
  const { alerts } = actor.agent === '' ? { alerts: [] } : await mine.alerts.list({ status: 'all', agent: actor.agent }, { limit: most });
  const recent = alerts.filter(({ createdAt }) => createdAt >= since);
  const unread = ((await mine.mail.findBox(actor.pid))?.pending ?? 0) + (await countKept(mine, actor.agent));
  const health = await parts.health();
  return {
    since: isoOf(since),
    filesystem_changes: changes,
    process_events: events
      .slice(-most)
      .map(({ kind, at, payload }) => ({ event: kind.replace('kernel.process.', ''), at: isoOf(at), ...(isDetailed ? { payload } : {}) })),
    pending_approvals: approvals.map(({ id, capability, createdAt, expiresAt }) => ({
      request_id: id,
      capability,
      created_at: isoOf(createdAt),
      expires_at: isoOf(expiresAt),
    })),
    unread_messages: unread,
    alerts: recent.map(({ id, message, severity, acknowledgedAt }) => ({
      alert_id: id,
      message,
      severity,
      status: acknowledgedAt === undefined ? 'pending' : 'acknowledged',
    })),
    health,
    summary: `${calls.length} calls, ${changes.length} of them changed files; ${approvals.length} wait for a person; ${unread} messages are unread; ${recent.length} alerts; Warren is ${health}`,
  };
}

import type { Alert } from '@warren/kernel';
import type { AlertRecord } from '@warren/protocol/contract';
import { approverOf } from './approver.ts';
import type { HandlersOf } from './handler.ts';
import { toSeconds, toSecondsOrNull } from './time.ts';

export const ALERT_HANDLERS: HandlersOf<'alert.'> = {
  async 'alert.list'({ status, agent, before, limit }, { mine }) {
    const { alerts, pending } = await mine.alerts.list({ status, agent }, { limit, before });
    return { alerts: alerts.map(toAlert), pending };
  },

  async 'alert.acknowledge'({ alert_id }, { mine, caller }) {
    return { acknowledged: await mine.alerts.acknowledge(alert_id, approverOf(caller).name) };
  },
};

function toAlert({ id, agent, pid, message, severity, context, createdAt, acknowledgedAt, acknowledgedBy }: Alert): AlertRecord {
  const times = { created_at: toSeconds(createdAt), acknowledged_at: toSecondsOrNull(acknowledgedAt) };
  return { alert_id: id, agent, pid: pid ?? null, message, severity, context, ...times, acknowledged_by: acknowledgedBy ?? null };
}

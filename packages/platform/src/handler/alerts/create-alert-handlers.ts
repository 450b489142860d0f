/** `alerts.*`: what an agent tells people. It sees its own alerts and no others. */
import type { Alert } from '@warren/kernel';
import { isFault, type JsonObject } from '@warren/protocol';
import { CapabilityError, type HandlerContext, type Handlers } from '../../capability/handler.ts';
import { isoOf } from '../internal/iso-time.ts';

/** Alerts of all that have no agent are one list: of more than these a process without one does not find its own. */
const SEARCHED_MAX = 1_000;

export function createAlertHandlers(): Handlers {
  return HANDLERS;
}

const HANDLERS: Handlers = {
  'alerts.send': async ({ message, severity, context: facts }, { mine, actor }) => {
    try {
      const alert = { message: String(message), severity: severity as Alert['severity'], context: (facts ?? {}) as JsonObject }; // The definition has checked them.
      const { id } = await mine.alerts.send({ ...alert, agent: actor.agent, pid: actor.pid });
      return { output: { alert_id: id, delivered_to: 'operators', severity: alert.severity } };
    } catch (error) {
      if (isFault(error, 'busy')) throw new CapabilityError('AlertError', error.message, { cause: error });
      throw asInvalid(error);
    }
  },

  'alerts.list': async ({ status, limit }, { mine, actor }) => {
    const filter = { status: status as 'pending' | 'acknowledged' | 'all', agent: actor.agent }; // As above.
    const { alerts } = await mine.alerts.list(filter, { limit: actor.agent === '' ? SEARCHED_MAX : Number(limit) });
    const own = alerts.filter((alert) => isOwn(alert, actor)).slice(0, Number(limit));
    return { output: { alerts: own.map(toOutput), total: own.length } };
  },

  'alerts.acknowledge': async ({ alert_id: id, acknowledged_by: by }, context) => {
    const alert = await ownAlert(String(id), context);
    if (alert.severity !== 'info') {
      throw new CapabilityError('AlertError', `Cannot acknowledge a ${alert.severity} alert: it is for people to acknowledge`);
    }
    const { agent, pid } = context.actor;
    const self = agent === '' ? `process ${pid}` : agent;
    const who = typeof by === 'string' && by !== '' && by !== self ? `${self} (${by})` : self;
    const acknowledged = await context.mine.alerts.acknowledge(alert.id, who).catch((error: unknown) => {
      throw asInvalid(error);
    });
    return { output: { acknowledged, alert_id: alert.id } };
  },
};

/** One of somebody else looks like none. */
async function ownAlert(id: string, { mine, actor }: HandlerContext): Promise<Alert> {
  const alert = await mine.alerts.get(id).catch((error: unknown) => {
    if (isFault(error, 'not_found') || isFault(error, 'invalid_argument')) return undefined;
    throw error;
  });
  if (alert === undefined || !isOwn(alert, actor))
    throw new CapabilityError('AlertNotFound', 'Cannot acknowledge: this agent has no such alert');
  return alert;
}

/** What has no agent is Warren's or of some process: then the process counts. */
function isOwn(alert: Alert, { agent, pid }: HandlerContext['actor']): boolean {
  return alert.agent === agent && (agent !== '' || alert.pid === pid);
}

function asInvalid(error: unknown): unknown {
  const isInvalid = isFault(error, 'invalid_argument') || isFault(error, 'invalid_payload') || isFault(error, 'too_large');
  return isInvalid ? new CapabilityError('InvalidInput', error.message, { cause: error }) : error;
}

function toOutput({ id, message, severity, createdAt, acknowledgedAt, acknowledgedBy }: Alert) {
  return {
    ...{ alert_id: id, message, severity, status: acknowledgedAt === undefined ? 'pending' : 'acknowledged', created_at: isoOf(createdAt) },
    acknowledged_at: acknowledgedAt === undefined ? null : isoOf(acknowledgedAt),
    acknowledged_by: acknowledgedBy ?? null,
  };
}

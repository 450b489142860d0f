/** Approvals, sessions and alerts, as people who supervise are told of them. Undefined: nothing of theirs. */
import type { EventRecord, WorkspaceKernel } from '@warren/kernel';
import { isFault, type SupervisionEvent } from '@warren/protocol';
import { sessionId } from './session-id.ts';

/** Calls of one session that are counted. */
const COUNTED_MAX = 10_000;

export async function projectEvent(mine: WorkspaceKernel, event: EventRecord): Promise<SupervisionEvent | undefined> {
  const { at, pid, kind, payload } = event;
  const timestamp = new Date(at).toISOString();
  const of = (agent: unknown) => ({
    timestamp,
    agent: typeof agent === 'string' && agent !== '' ? agent : null,
    session_id: pid === undefined ? null : sessionId(pid),
  });
  switch (kind) {
    case 'kernel.approval.requested': {
      const approval_id = String(payload['approval_id']);
      const approval = await orUndefined(mine.approvals.get(approval_id));
      const { input = {}, rule, reasoning = null } = approval ?? {};
      const data = { approval_id, capability: String(payload['capability']), arguments: input, reason: rule?.reason ?? reasoning };
      return { type: 'approval_requested', ...of(payload['agent']), data };
    }
    case 'kernel.approval.decided': {
      const by = payload['by'];
      const decided = { decision: String(payload['state']), decided_by: typeof by === 'string' ? by : null, decided_at: timestamp };
      return { type: 'approval_resolved', ...of(payload['agent']), data: { approval_id: String(payload['approval_id']), ...decided } };
    }
    case 'kernel.process.created': {
      const agent = payload['agent'];
      if (typeof agent !== 'string' || agent === '' || pid === undefined) return undefined;
      const agent_purpose = (await mine.agents.find(agent))?.purpose ?? '';
      return { type: 'session_started', ...of(agent), data: { session_id: sessionId(pid), agent_purpose } };
    }
    case 'kernel.process.terminated': {
      const process = pid === undefined ? undefined : await mine.processes.find(pid);
      if (pid === undefined || process === undefined || process.agent === '') return undefined;
      const { events } = await mine.events.tail({ pid, kind: 'kernel.call.ended', limit: COUNTED_MAX });
      const duration_seconds = Math.max(0, at - process.createdAt) / 1_000;
      const data = { session_id: sessionId(pid), duration_seconds, capabilities_invoked: events.length };
      return { type: 'session_ended', ...of(process.agent), data };
    }
    case 'kernel.alert.sent': {
      const alert = await orUndefined(mine.alerts.get(String(payload['alert_id'])));
      const { message = '', agent = '' } = alert ?? {};
      const data = { component: agent === '' ? 'warren' : 'agent', severity: String(payload['severity']), message, threshold: null };
      return { type: 'health_alert', ...of(payload['agent']), data };
    }
    default:
      return undefined;
  }
}

/** What an event is about may be gone already. */
async function orUndefined<Value>(found: Promise<Value>): Promise<Value | undefined> {
  try {
    return await found;
  } catch (error) {
    if (isFault(error, 'not_found')) return undefined;
    throw error;
  }
}

/** Calls, as people who supervise are told of them. Each is an entry of the audit, whatever came of it: there is none of what was refused in the log of events. */
import type { RecordedEntry } from '@warren/kernel';
import type { SupervisionEvent } from '@warren/protocol';
import { sessionId } from './session-id.ts';

export function projectEntry(entry: RecordedEntry): readonly SupervisionEvent[] {
  const { kind, actor, outcome, action: capability, callId: call_id = '', decision, durationMs = 0, error } = entry;
  if (kind !== 'syscall' || actor.kind !== 'process') return [];
  const envelope = { timestamp: new Date(entry.at).toISOString(), agent: actor.agent, session_id: sessionId(actor.pid) };
  const { tier = null, rule } = decision ?? {};
  const invoked = (): SupervisionEvent => {
    const data = { call_id, capability, arguments: entry.input ?? {}, permission_tier: tier, duration_ms: durationMs };
    return { type: 'capability_invoked', ...envelope, data };
  };
  const failed = (): SupervisionEvent => {
    const { type: error_type = 'Unknown', message = '' } = error ?? {};
    return { type: 'capability_error', ...envelope, data: { call_id, capability, error_type, message, tier } };
  };
  switch (outcome) {
    case 'success':
      return [invoked(), { type: 'capability_result', ...envelope, data: { call_id, capability, success: true, duration_ms: durationMs } }];
    case 'failure':
    case 'unknown':
      return [invoked(), failed()];
    case 'denied':
      if (error?.type === 'PolicyDenied') {
        const reason = rule?.reason ?? error.message;
        return [{ type: 'policy_violation', ...envelope, data: { call_id, capability, rule: rule?.rule ?? null, reason, tier } }];
      }
      if (error?.type === 'RateLimited') return [{ type: 'rate_limit_hit', ...envelope, data: rateLimit(entry) }];
      return [failed()];
    case 'begun':
    case 'pending':
      return [];
    default:
      return outcome satisfies never;
  }
}

function rateLimit({ action, details }: RecordedEntry) {
  const limit = (details?.['limit'] ?? {}) as Readonly<Record<string, unknown>>; // The gate writes it, for those.
  const number = (key: string): number | null => (typeof limit[key] === 'number' ? limit[key] : null);
  return {
    capability_pattern: action,
    limit: number('limit'),
    window: number('window_seconds'),
    retry_after_seconds: number('retry_after_seconds'),
  };
}

/** What people who supervise agents are told, as it happens: eleven types, each in one envelope. */

export const SUPERVISION_TYPES = [
  'capability_invoked',
  'capability_result',
  'capability_error',
  'policy_violation',
  'approval_requested',
  'approval_resolved',
  'session_started',
  'session_ended',
  'rate_limit_hit',
  'write_buffered',
  'health_alert',
] as const;

export type SupervisionType = (typeof SUPERVISION_TYPES)[number];

type Json = Readonly<Record<string, unknown>>;

/** What each type says. A session is a process of an agent. */
export type SupervisionData = {
  readonly capability_invoked: {
    readonly call_id: string;
    readonly capability: string;
    readonly arguments: Json;
    readonly permission_tier: string | null;
    readonly duration_ms: number;
  };
  readonly capability_result: {
    readonly call_id: string;
    readonly capability: string;
    readonly success: true;
    readonly duration_ms: number;
  };
  readonly capability_error: {
    readonly call_id: string;
    readonly capability: string;
    readonly error_type: string;
    readonly message: string;
    readonly tier: string | null;
  };
  readonly policy_violation: {
    readonly call_id: string;
    readonly capability: string;
    readonly rule: string | null;
    readonly reason: string;
    readonly tier: string | null;
  };
  readonly approval_requested: {
    readonly approval_id: string;
    readonly capability: string;
    readonly arguments: Json;
    readonly reason: string | null;
  };
  readonly approval_resolved: {
    readonly approval_id: string;
    readonly decision: string;
    readonly decided_by: string | null;
    readonly decided_at: string;
  };
  readonly session_started: { readonly session_id: string; readonly agent_purpose: string };
  readonly session_ended: { readonly session_id: string; readonly duration_seconds: number; readonly capabilities_invoked: number };
  readonly rate_limit_hit: {
    readonly capability_pattern: string;
    readonly limit: number | null;
    readonly window: number | null;
    readonly retry_after_seconds: number | null;
  };
  readonly write_buffered: {
    readonly write_id: string;
    readonly service: string;
    readonly operation: string;
    readonly buffer_until: string;
    readonly cancellable: boolean;
  };
  readonly health_alert: {
    readonly component: string;
    readonly severity: string;
    readonly message: string;
    readonly threshold: number | null;
  };
};

/** `timestamp`: ISO 8601. `agent` and `session_id`: null for what is nobody's. */
export type SupervisionEvent = {
  readonly [Type in SupervisionType]: {
    readonly type: Type;
    readonly timestamp: string;
    readonly agent: string | null;
    readonly session_id: string | null;
    readonly data: SupervisionData[Type];
  };
}[SupervisionType];

/** Alerts: what agents and Warren itself tell people. */
import type { JsonObject } from '../internal/json.ts';
import type { AlertSeverity } from '../store/tables/alert-table.ts';

export type { AlertSeverity };

export type Alert = {
  readonly id: string;
  /** Empty: Warren itself. */
  readonly agent: string;
  readonly pid: number | undefined;
  readonly message: string;
  readonly severity: AlertSeverity;
  readonly context: JsonObject;
  readonly createdAt: number;
  readonly acknowledgedAt: number | undefined;
  readonly acknowledgedBy: string | undefined;
};

export interface Alerts {
  /**
   * Message 1 to 4,096 characters, with line breaks but no other control characters. Faults: `invalid_argument`, `invalid_payload`, `too_large`, `busy`
   * (10,000 wait to be acknowledged; of Warren itself, 1,000 more).
   */
  send(alert: {
    readonly message: string;
    readonly severity: AlertSeverity;
    readonly context?: JsonObject | undefined;
    readonly agent?: string | undefined;
    readonly pid?: number | undefined;
  }): Promise<Alert>;
  /** Newest first; all, unless a status is asked for. `pending` counts those of all agents. At most 1,000. */
  list(
    filter?: { readonly status?: 'pending' | 'acknowledged' | 'all' | undefined; readonly agent?: string | undefined },
    page?: { readonly limit?: number | undefined; readonly before?: string | undefined },
  ): Promise<{ readonly alerts: readonly Alert[]; readonly pending: number }>;
  /** Whether this acknowledged it: false when it is unknown or was before. Faults: `invalid_argument`. */
  acknowledge(id: string, by: string): Promise<boolean>;
  /** Faults: `not_found`. */
  get(id: string): Promise<Alert>;
}

import type { JsonObject } from '../../internal/json.ts';

export const ALERT_SEVERITIES = ['info', 'warning', 'critical'] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

export type AlertRow = {
  /** `alert_` and 16 characters. */
  readonly id: string;
  readonly agent: string;
  readonly pid: number | undefined;
  readonly message: string;
  readonly severity: AlertSeverity;
  readonly context: JsonObject;
  readonly createdAt: number;
  readonly acknowledgedAt: number | undefined;
  readonly acknowledgedBy: string | undefined;
};

export interface AlertTableReads {
  find(id: string): AlertRow | undefined;
  /** Newest first, and by id where the time is equal. Nothing when `beforeId` is gone. */
  list(
    filter: { readonly isAcknowledged?: boolean | undefined; readonly agent?: string | undefined },
    limit: number,
    beforeId?: string,
  ): readonly AlertRow[];
  countPending(): number;
}

export interface AlertTable extends AlertTableReads {
  insert(row: AlertRow): void;
  /** Throws when there is none, or it is acknowledged. */
  acknowledge(id: string, at: number, by: string): void;
  /** Deletes what was acknowledged before this time, at most `limit`. Returns how many. */
  purgeAcknowledged(before: number, limit: number): number;
}

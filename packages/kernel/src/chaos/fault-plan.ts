/** Faults to come: at the n-th time a point is reached, the process dies, the disk is full, or time passes. */
import { type FaultPoint, type FaultPoints, PlayedCrash } from '../internal/fault-points.ts';

export type PlannedFault =
  /** `before` runs at the moment of death, for instance to keep the files as they are. */
  | { readonly kind: 'crash'; readonly before?: () => void }
  | { readonly kind: 'disk_full' }
  | { readonly kind: 'call'; readonly action: () => void };

export interface FaultPlan extends FaultPoints {
  /** At the n-th time from now (1: the next). One fault for each point and time. */
  plan(point: FaultPoint, nth: number, fault: PlannedFault): void;
  /** How often it was reached since the beginning. */
  count(point: FaultPoint): number;
  clear(): void;
}

export function createFaultPlan(): FaultPlan {
  const counts = new Map<FaultPoint, number>();
  const planned = new Map<string, PlannedFault>();
  return {
    plan(point, nth, fault) {
      planned.set(`${point}:${(counts.get(point) ?? 0) + nth}`, fault);
    },
    count: (point) => counts.get(point) ?? 0,
    clear: () => planned.clear(),
    reach(point) {
      const count = (counts.get(point) ?? 0) + 1;
      counts.set(point, count);
      const fault = planned.get(`${point}:${count}`);
      if (fault === undefined) return;
      planned.delete(`${point}:${count}`);
      happen(fault, point);
    },
  };
}

/** SQLite's own error for a full disk, as the driver throws it. */
const SQLITE_FULL = 13;

function happen(fault: PlannedFault, point: FaultPoint): void {
  switch (fault.kind) {
    case 'crash':
      fault.before?.();
      throw new PlayedCrash(`Died at ${point}`);
    case 'disk_full':
      throw Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: SQLITE_FULL });
    case 'call':
      fault.action();
      break;
    default:
      fault satisfies never;
  }
}

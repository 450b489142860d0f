import type { NumberCondition } from '../policy.ts';
import type { CompiledCondition } from './compiled-condition.ts';
import { truthOf, UNKNOWN } from './truth.ts';

export function compileSize(condition: NumberCondition): CompiledCondition {
  return ({ request }) => {
    const bytes = request.facts.contentBytes;
    return bytes === undefined || Number.isNaN(bytes) ? UNKNOWN : truthOf(isWithin(condition, bytes));
  };
}

export function isWithin({ lt, lte, gt, gte }: NumberCondition, value: number): boolean {
  return (
    (lt === undefined || value < lt) &&
    (lte === undefined || value <= lte) &&
    (gt === undefined || value > gt) &&
    (gte === undefined || value >= gte)
  );
}

export function asksForNumber({ lt, lte, gt, gte }: NumberCondition): boolean {
  return lt !== undefined || lte !== undefined || gt !== undefined || gte !== undefined;
}

/** Failures as RFC 9457 says them. Beside the words for people stand the stable code and its details, the same as everywhere else. */
import { FAULTS, type Fault } from '@warren/protocol';

export const PROBLEM_TYPE = 'application/problem+json';

export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;
};

export function problemOf({ code, message, details = {} }: Fault, status: number = FAULTS[code].http): Problem {
  return { type: `urn:warren:fault:${code}`, title: titleOf(code), status, detail: message, code, details: { ...details } };
}

/** Seconds after which the same may succeed, where that is known; undefined where it never will or nobody can say. */
export function retryAfterOf({ code, details }: Fault): number | undefined {
  const afterMs = details !== undefined && 'retry_after_ms' in details ? details['retry_after_ms'] : undefined;
  if (typeof afterMs === 'number') return Math.max(1, Math.ceil(afterMs / 1_000));
  return code === 'busy' ? 1 : undefined;
}

function titleOf(code: string): string {
  return `${code.charAt(0).toUpperCase()}${code.slice(1).replaceAll('_', ' ')}`;
}

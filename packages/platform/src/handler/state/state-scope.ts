import type { StateScope } from '@warren/kernel';
import { type Fault, isFault } from '@warren/protocol';
import { CapabilityError, type HandlerContext } from '../../capability/handler.ts';

/** A session is a process. */
export function sessionScope({ actor }: HandlerContext): StateScope {
  return { kind: 'session', pid: actor.pid };
}

export function agentScope({ actor }: HandlerContext): StateScope {
  if (actor.agent === '') throw new CapabilityError('InvalidInput', 'Cannot keep anything for good: this process runs for no agent');
  return { kind: 'agent', agent: actor.agent };
}

/** What faults of the kernel are called here. */
export async function named<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw isFault(error) ? translate(error) : error;
  }
}

const TYPES: Readonly<Partial<Record<string, string>>> = {
  quota_exceeded: 'QuotaExceeded',
  too_large: 'QuotaExceeded',
  permission_denied: 'AccessDenied',
  invalid_argument: 'InvalidInput',
  invalid_payload: 'InvalidInput',
  // Only a session can be over.
  unknown_pid: 'SessionNotFound',
  illegal_transition: 'SessionNotFound',
  storage_full: 'DatabaseError',
  store_failed: 'DatabaseError',
  conflict: 'VersionConflict',
};

function translate(fault: Fault): Error {
  const type = TYPES[fault.code];
  if (type === undefined) return fault;
  if (type !== 'VersionConflict') return new CapabilityError(type, fault.message, { cause: fault });
  const facts = (fault.details ?? {}) as Readonly<Record<string, unknown>>; // Details are an object.
  const versions = { expected_version: Number(facts['expected_version'] ?? 0), actual_version: Number(facts['actual_version'] ?? 0) };
  return new CapabilityError(type, fault.message, { context: versions, cause: fault });
}

import type { EventRecord } from '@warren/kernel';
import type { Event } from '@warren/protocol/contract';
import { toSeconds } from '../time.ts';

export function toEvent({ id, pid, at, kind, payload, causationId, correlationId }: EventRecord): Event {
  return {
    event_id: id,
    pid: pid ?? null,
    ts: toSeconds(at),
    kind,
    payload,
    causation_id: causationId ?? null,
    correlation_id: correlationId ?? null,
  };
}

import type { Message as MessageRecord } from '@warren/kernel';
import type { Message } from '@warren/protocol/contract';
import { toSeconds, toSecondsOrNull } from '../time.ts';

export function toMessage(message: MessageRecord): Message {
  return {
    msg_id: message.id,
    sender_pid: message.sender ?? null,
    recipient_pid: message.recipient,
    topic: message.topic ?? null,
    kind: message.kind,
    payload: message.payload,
    priority: message.priority,
    posted_at: toSeconds(message.postedAt),
    delivered_at: toSecondsOrNull(message.deliveredAt),
    deliveries: message.deliveries,
    expires_at: toSecondsOrNull(message.expiresAt),
    correlation_id: message.correlationId ?? null,
  };
}

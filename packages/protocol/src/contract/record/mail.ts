/** Mail on the wire. */
import { z } from 'zod';
import { jsonObject } from '../value/json-object.ts';
import { int, seconds } from '../value/number.ts';
import { word } from '../value/text.ts';

export const message = z.object({
  msg_id: int,
  /** Null: of nobody in particular. */
  sender_pid: int.nullable(),
  recipient_pid: int,
  /** Null: sent to the recipient directly. */
  topic: word.nullable(),
  kind: word,
  payload: jsonObject,
  priority: int,
  posted_at: seconds,
  /** When it was last handed out. */
  delivered_at: seconds.nullable(),
  /** How often it was handed out. */
  deliveries: int,
  expires_at: seconds.nullable(),
  correlation_id: word.nullable(),
});

export type Message = z.output<typeof message>;

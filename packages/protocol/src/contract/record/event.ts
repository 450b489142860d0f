/** Events on the wire. */
import { z } from 'zod';
import { jsonObject } from '../value/json-object.ts';
import { int, seconds } from '../value/number.ts';
import { word } from '../value/text.ts';

export const event = z.object({
  event_id: int,
  /** Null for what concerns no single process. */
  pid: int.nullable(),
  ts: seconds,
  kind: word,
  payload: jsonObject,
  /** The event that led to this one. */
  causation_id: int.nullable(),
  correlation_id: word.nullable(),
});

export type Event = z.output<typeof event>;

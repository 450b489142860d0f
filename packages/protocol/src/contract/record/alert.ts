/** Alerts, on the wire. */
import { z } from 'zod';
import { jsonObject } from '../value/json-object.ts';
import { int, seconds } from '../value/number.ts';
import { prose, word } from '../value/text.ts';

export const alertSeverity = z.enum(['info', 'warning', 'critical']);

export const alert = z.object({
  alert_id: word,
  agent: word,
  pid: int.nullable(),
  message: prose,
  severity: alertSeverity,
  context: jsonObject,
  created_at: seconds,
  acknowledged_at: seconds.nullable(),
  acknowledged_by: word.nullable(),
});

export type AlertRecord = z.output<typeof alert>;

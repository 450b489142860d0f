/** Registered names on the wire. */
import { z } from 'zod';
import { jsonObject } from '../value/json-object.ts';
import { listOf } from '../value/list.ts';
import { int, seconds } from '../value/number.ts';
import { word } from '../value/text.ts';

export const nameEntry = z.object({
  name: word,
  pid: int,
  tags: listOf(word),
  metadata: jsonObject,
  registered_at: seconds,
});

export type NameEntry = z.output<typeof nameEntry>;

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { jsonSchema } from './json-schema.ts';
import { optional, withDefault } from './value/absent.ts';
import { limit } from './value/clamped.ts';
import { jsonObject } from './value/json-object.ts';
import { list } from './value/list.ts';
import { int } from './value/number.ts';

describe('jsonSchema', () => {
  it('says what a caller writes: what must be there, what is there by default, and what is bounded', () => {
    const schema = z.object({
      pid: int,
      reason: optional(z.string().max(5)),
      mark: withDefault(z.boolean(), true),
      ids: list(int, 3),
      payload: jsonObject,
      limit,
    });
    expect(jsonSchema(schema)).toEqual({
      type: 'object',
      properties: {
        pid: { type: 'integer' },
        reason: { anyOf: [{ type: 'string', maxLength: 5 }, { type: 'null' }] },
        mark: { type: ['boolean', 'null'], default: true },
        ids: { type: 'array', items: { type: 'integer' }, maxItems: 3 },
        payload: { type: 'object' },
        limit: { type: 'integer', minimum: 1, maximum: 10_000, default: 100 },
      },
      required: ['pid', 'ids', 'payload'],
    });
  });
});

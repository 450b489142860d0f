/** Lists and tables on the wire. They are counted before anything in them is looked at, so that a huge one is refused at once. */
import { z } from 'zod';
import { word } from './text.ts';

/** A list of a parameter. */
export function list<Item extends z.ZodType>(item: Item, itemsMax: number): z.ZodType<z.output<Item>[], z.input<Item>[]> {
  const refuseLonger = (value: unknown, context: z.RefinementCtx): unknown => {
    if (!Array.isArray(value) || value.length <= itemsMax) return value;
    context.addIssue({ code: 'too_big', origin: 'array', maximum: itemsMax, inclusive: true, input: value });
    return z.NEVER;
  };
  return z.preprocess(refuseLonger, z.array(item).max(itemsMax)) as z.ZodType<z.output<Item>[], z.input<Item>[]>; // What preprocess accepts is unknown to it.
}

/** A table of a parameter: names to values. */
export function table<Value extends z.ZodType>(
  value: Value,
  entriesMax: number,
): z.ZodType<Record<string, z.output<Value>>, Record<string, z.input<Value>>> {
  const refuseLarger = (given: unknown, context: z.RefinementCtx): unknown => {
    if (typeof given !== 'object' || given === null || Object.keys(given).length <= entriesMax) return given;
    context.addIssue({ code: 'custom', message: `has more than ${entriesMax} entries`, input: given });
    return z.NEVER;
  };
  const bounded = z.preprocess(refuseLarger, z.record(word, value));
  return bounded as z.ZodType<Record<string, z.output<Value>>, Record<string, z.input<Value>>>; // As above.
}

/** A list of a result. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.array(item).readonly();
}

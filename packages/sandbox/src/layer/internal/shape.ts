/** Reads values that came out of a file, strictly: what is not exactly as expected is a `ShapeError` that says where. */

export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

export type Fields = Readonly<Record<string, unknown>>;

/** An object with these keys and no others; `optional` ones may be missing. */
export function readFields(value: unknown, where: string, required: readonly string[], optional: readonly string[] = []): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ShapeError(`${where} is not an object`);
  const fields = value as Fields; // Checked above.
  for (const key of required) if (fields[key] === undefined) throw new ShapeError(`${where} has no "${key}"`);
  for (const key of Object.keys(fields)) {
    if (!required.includes(key) && !optional.includes(key)) throw new ShapeError(`${where} has an unknown field`);
  }
  return fields;
}

export function readText(value: unknown, where: string, lengthMax: number): string {
  if (typeof value !== 'string') throw new ShapeError(`${where} is not text`);
  if (value.length > lengthMax) throw new ShapeError(`${where} is longer than ${lengthMax} characters`);
  return value;
}

export function readMatch(value: unknown, where: string, pattern: RegExp): string {
  const text = readText(value, where, 4_096);
  if (!pattern.test(text)) throw new ShapeError(`${where} does not look like one`);
  return text;
}

export function readInteger(value: unknown, where: string, max: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > max) {
    throw new ShapeError(`${where} is not a whole number from 0 to ${max}`);
  }
  return value;
}

/** Numbers of the kernel that do not fit a double are written as text. */
export function readBigInt(value: unknown, where: string): bigint {
  return BigInt(readMatch(value, where, /^-?[0-9]{1,20}$/));
}

export function readOneOf<const Value extends string>(value: unknown, where: string, values: readonly Value[]): Value {
  const found = values.find((one) => one === value);
  if (found === undefined) throw new ShapeError(`${where} is none of ${values.join(', ')}`);
  return found;
}

export function readBoolean(value: unknown, where: string): boolean {
  if (typeof value !== 'boolean') throw new ShapeError(`${where} is not true or false`);
  return value;
}

export function readList<Item>(value: unknown, where: string, lengthMax: number, read: (item: unknown, where: string) => Item): Item[] {
  if (!Array.isArray(value)) throw new ShapeError(`${where} is not a list`);
  if (value.length > lengthMax) throw new ShapeError(`${where} has more than ${lengthMax} items`);
  return value.map((item, index) => read(item, `${where}[${index}]`));
}

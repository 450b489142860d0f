/** Heads as they leave the machine: to anchors, in what `warren audit` prints, and on the wire. One spelling, which whoever verifies reads again. */
import { Fault } from '@warren/protocol';
import type { TreeHead } from './audit.ts';

export type HeadDocument = {
  readonly size: number;
  readonly root: string;
  /** Seconds since 1970. */
  readonly at: number;
  readonly key_id: string;
  readonly signature: string;
};

export function toHeadDocument({ size, root, at, keyId, signature }: TreeHead): HeadDocument {
  return { size, root, at: at / 1_000, key_id: keyId, signature };
}

/** One document, `{"head": …}` around it or not, or a line for each, as anchors are kept. `source` is named in faults: `invalid_argument`. */
export function readHeads(text: string, source: string): readonly TreeHead[] {
  const whole = parse(text);
  if (whole !== undefined) return [toHead(whole, source)];
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new Fault('invalid_argument', `Cannot use ${source} as a head: it is empty`);
  return lines.map((line, index) => {
    const value = parse(line);
    if (value === undefined) throw new Fault('invalid_argument', `Cannot use ${source} as a head: it is no JSON (line ${index + 1})`);
    return toHead(value, `${source}, line ${index + 1},`);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // No JSON value is undefined.
  }
}

/** Anchors of an earlier version say `keyId`, and the time in milliseconds. */
function toHead(value: unknown, source: string): TreeHead {
  const { head = value } = Object(value) as { readonly head?: unknown };
  const { size, root, at, key_id, keyId, signature } = Object(head) as Record<string, unknown>;
  const id = key_id ?? keyId;
  if (
    typeof size !== 'number' ||
    typeof root !== 'string' ||
    typeof at !== 'number' ||
    typeof id !== 'string' ||
    typeof signature !== 'string'
  ) {
    throw new Fault('invalid_argument', `Cannot use ${source} as a head: size, root, at, key_id or signature is missing`);
  }
  return { size, root, at: key_id === undefined ? at : Math.round(at * 1_000), keyId: id, signature };
}

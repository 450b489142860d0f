/** A body that goes on as it comes, unless there is a placeholder in it: then it ends before that, and so does the request. */
import { Transform } from 'node:stream';
import { PLACEHOLDER_MAX, PREFIX, placeholdersIn } from './placeholder.ts';

/** `refuse` makes the error it ends with. Holds back at most as many bytes as a placeholder has. */
export function guardBody(refuse: () => Error): Transform {
  let held: Buffer = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const safe = safeLength(bytes);
      if (safe === undefined) {
        done(refuse());
        return;
      }
      held = bytes.subarray(safe);
      done(null, safe === 0 ? undefined : bytes.subarray(0, safe));
    },
    flush(done) {
      if (placeholdersIn(held.toString('latin1')).length > 0) done(refuse());
      else done(null, held.length === 0 ? undefined : held);
    },
  });
}

/** How many bytes may go on; undefined when a placeholder is among them. */
function safeLength(bytes: Buffer): number | undefined {
  let from = 0;
  for (;;) {
    const at = bytes.indexOf(PREFIX, from, 'latin1');
    if (at < 0) return bytes.length - partAtEnd(bytes);
    // Its last digit counts as such only when another byte follows.
    if (bytes.length - at <= PLACEHOLDER_MAX) return placeholdersIn(`${bytes.toString('latin1', at)} `).length > 0 ? undefined : at;
    if (placeholdersIn(bytes.toString('latin1', at, at + PLACEHOLDER_MAX + 1)).length > 0) return undefined;
    from = at + PREFIX.length;
  }
}

/** Of the end, what may be the beginning of a placeholder. */
function partAtEnd(bytes: Buffer): number {
  for (let length = Math.min(PREFIX.length - 1, bytes.length); length > 0; length--)
    if (bytes.toString('latin1', bytes.length - length) === PREFIX.slice(0, length)) return length;
  return 0;
}

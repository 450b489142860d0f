import { Fault } from '@warren/protocol';

/**
 * How far somebody has followed: the last event of the kernel's log, the entries of the audit that were told, and how much of the next entry. Both logs are
 * in order and lose nothing, so whoever gives this back goes on where it stopped.
 */
export type Cursor = { readonly event: number; readonly entries: number; readonly part: number };

const FORM = /^(\d{1,15})\.(\d{1,15})\.(\d)$/;

export function formatCursor({ event, entries, part }: Cursor): string {
  return `${event}.${entries}.${part}`;
}

/** Throws `invalid_argument`. */
export function parseCursor(field: string, text: string): Cursor {
  const [, event, entries, part] = FORM.exec(text) ?? [];
  if (event !== undefined) return { event: Number(event), entries: Number(entries), part: Number(part) };
  throw new Fault('invalid_argument', `Cannot follow events: "${field}" is no id of this stream`, { details: { field } });
}

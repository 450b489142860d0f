/**
 * Rows by their creation, the newest first, in pages. Rows of the same time come in the order of their ids, so that a page begins exactly behind
 * the last row of the one before.
 */
import type { SQLInputValue } from 'node:sqlite';
import type { Row } from './database.ts';

export const NEWEST_FIRST = 'ORDER BY created_at DESC, id DESC';
/** Takes the two values of `cursorBehind`. */
export const BEHIND_CURSOR = '(created_at, id) < (?, ?)';

const BEGINNING = [Number.MAX_SAFE_INTEGER, ''];

/** Undefined: there is no such row, and so nothing behind it. */
export function cursorBehind(
  beforeId: string | undefined,
  find: (id: string) => { readonly createdAt: number } | undefined,
): SQLInputValue[] | undefined {
  if (beforeId === undefined) return [...BEGINNING];
  const row = find(beforeId);
  return row === undefined ? undefined : [row.createdAt, beforeId];
}

export function countIn(row: Row | undefined): number {
  return Number(row?.['count']);
}

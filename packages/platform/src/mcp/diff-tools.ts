/** What changed between the list of tools that was approved and the one a server has now: for the people who decide whether it is still what they approved. */
import { isObject } from '../capability/compile-field.ts';
import { showUnseen } from '../internal/clean-text.ts';
import { canonicalJson } from './canonical-json.ts';
import { cleanText } from './clean-text.ts';
import type { ForeignTool } from './tool-list.ts';

export type ToolChange = {
  readonly tool: string;
  readonly kind: 'added' | 'removed' | 'changed';
  /** Of one that changed: what of it, before and now, cleaned and cut. */
  readonly fields: readonly { readonly field: string; readonly before: string; readonly now: string }[];
};

const NAME_LENGTH_MAX = 128;
const CHANGES_MAX = 512;
const FIELDS_MAX = 64;
/** Around where texts begin to differ. */
const LEAD_LENGTH = 40;
const SHOWN_LENGTH = 400;

export function diffTools(before: readonly ForeignTool[], now: readonly ForeignTool[]): readonly ToolChange[] {
  const old = new Map(before.map((tool) => [tool.name, tool]));
  const current = new Map(now.map((tool) => [tool.name, tool]));
  const changes: ToolChange[] = [];
  for (const name of [...new Set([...old.keys(), ...current.keys()])].sort()) {
    const was = old.get(name);
    const is = current.get(name);
    const tool = cleanText(name, NAME_LENGTH_MAX);
    if (was === undefined) changes.push({ tool, kind: 'added', fields: [] });
    else if (is === undefined) changes.push({ tool, kind: 'removed', fields: [] });
    else {
      const fields = changedFields(was, is);
      if (fields.length > 0) changes.push({ tool, kind: 'changed', fields });
    }
  }
  return changes.slice(0, CHANGES_MAX);
}

function changedFields(was: ForeignTool, is: ForeignTool): ToolChange['fields'] {
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
  return names.flatMap((field) => compare(field, was[field], is[field])).slice(0, FIELDS_MAX);
}

/** Objects are gone into, so that a schema of a thousand lines shows the one that changed. */
function compare(field: string, was: unknown, is: unknown): ToolChange['fields'] {
  const [before, now] = [textOf(was), textOf(is)];
  if (before === now) return [];
  if (isObject(was) && isObject(is)) {
    const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
    return names.flatMap((name) => compare(`${field}.${cleanText(name, NAME_LENGTH_MAX)}`, was[name], is[name])).slice(0, FIELDS_MAX);
  }
  let at = 0;
  while (at < before.length && before[at] === now[at]) at++;
  const from = Math.max(0, at - LEAD_LENGTH);
  const shown = (text: string): string =>
    `${from === 0 ? '' : '…'}${cleanText(showUnseen(text.slice(from, from + SHOWN_LENGTH)), SHOWN_LENGTH)}`;
  return [{ field, before: shown(before), now: shown(now) }];
}

function textOf(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : canonicalJson(value as never); // A part of a list, which is JSON.
}

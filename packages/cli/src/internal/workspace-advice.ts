/** What to do when there is no workspace of a name, or nothing of a name in it. */
import { Fault, isFault } from '@warren/protocol';
import { nextCommand, nextCommandIn, type PlaceFlags } from './state-path.ts';

/** The same fault with advice. Whatever else it is stays what it is. `list`: the words that list what it could have been. */
export function withWorkspaceAdvice(error: unknown, place: PlaceFlags & { readonly workspace?: string }, list?: string): unknown {
  if (!isFault(error, 'not_found')) return error;
  const details: Readonly<Record<string, unknown>> = error.details ?? {};
  const { workspace } = details;
  if (details['fix'] !== undefined) return error;
  const fix =
    typeof workspace === 'string'
      ? `${nextCommand('workspace list', place)}, or: ${nextCommand(`workspace create ${workspace}`, place)}`
      : list === undefined
        ? undefined
        : `those there are: ${nextCommandIn(list, place)}`;
  if (fix === undefined) return error;
  return new Fault('not_found', error.message, { details: { ...details, fix }, cause: error });
}

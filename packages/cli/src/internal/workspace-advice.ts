/** What to do when there is no workspace of a name. */
import { Fault, isFault } from '@warren/protocol';
import { nextCommand, type PlaceFlags } from './state-path.ts';

/** The same fault with advice. Whatever else it is stays what it is. */
export function withWorkspaceAdvice(error: unknown, place: PlaceFlags): unknown {
  if (!isFault(error, 'not_found')) return error;
  const details: Readonly<Record<string, unknown>> = error.details ?? {};
  const { workspace } = details;
  if (typeof workspace !== 'string' || details['fix'] !== undefined) return error;
  const fix = `${nextCommand('workspace list', place)}, or: ${nextCommand(`workspace create ${workspace}`, place)}`;
  return new Fault('not_found', error.message, { details: { ...details, fix }, cause: error });
}

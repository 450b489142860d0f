/** What a call that people decide about would do, in all its length: nobody should say yes to the beginning of something. */
import type { WorkspaceId } from '@warren/protocol';
import type { JsonObject } from '../internal/json.ts';
import type { CallRow } from '../store/tables/call-table.ts';
import type { EditParts } from './edit-call.ts';
import { wholeInput } from './validate-input.ts';

/** Redacted and not shortened; undefined when the exact arguments are kept no more, or nothing is known of the capability. */
export function showCall(
  { capabilities, redactorOf }: Pick<EditParts, 'capabilities' | 'redactorOf'>,
  workspace: WorkspaceId,
  { capability: name, input }: CallRow,
): JsonObject | undefined {
  const capability = capabilities.find(name);
  if (capability === undefined || input === undefined) return undefined;
  try {
    return wholeInput(capability, input, redactorOf(workspace));
  } catch {
    return undefined; // Its definition fails on arguments of another version; what was recorded of them is there.
  }
}

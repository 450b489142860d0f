/** What is sealed as what: the associated data of values and of the keys they are sealed under. Changing a word here makes every vault there is unreadable. */
import type { SecretRecord } from '@warren/kernel';
import type { WorkspaceId } from '@warren/protocol';

export function aboutVersion(
  workspace: WorkspaceId,
  { name, type, bindings }: Pick<SecretRecord, 'name' | 'type' | 'bindings'>,
  version: number,
): readonly string[] {
  const { hosts, capabilities, skills } = bindings;
  return ['warren secret', workspace, name, String(version), type, JSON.stringify([hosts, capabilities, skills])];
}

export function aboutDataKey(workspace: WorkspaceId, number: number): readonly string[] {
  return ['warren data key', workspace, String(number)];
}

export function aboutRoot(number: number): readonly string[] {
  return ['warren root key', String(number)];
}

/** Which workspace a call is about. */
import type { Principal } from '@warren/kernel';
import { DEFAULT_WORKSPACE, Fault, parseWorkspaceId, type WorkspaceId } from '@warren/protocol';

/**
 * `named` is what the caller asks for, in a parameter or a header. Members and processes have one and cannot ask for another; operators who
 * ask for none mean the default one. Throws `permission_denied` and `invalid_argument`.
 */
export function selectWorkspace(principal: Principal, named: string | undefined): WorkspaceId {
  if (principal.kind === 'operator') return named === undefined ? DEFAULT_WORKSPACE : parseWorkspaceId(named);
  if (named === undefined || named === principal.workspace) return principal.workspace;
  throw new Fault('permission_denied', 'Cannot use that workspace: the token is for another');
}

/**
 * Whatever people change is in the audit: who, what, with which parameters, and what came of it. No answer is given before the entry is on disk; when that fails, the entry is kept and
 * nothing else is changed before it is.
 */
import { type AuditActor, type AuditGuard, redactInput } from '@warren/kernel';
import { isFault, type JsonObject } from '@warren/protocol';
import type { OperationName } from '@warren/protocol/contract';
import type { Call } from './handler.ts';

/**
 * Operations by which people decide what agents may do, and what there is. What programs do on behalf of processes (events, mail, work, files) is in the event log, and what agents do
 * is recorded by the gate.
 */
export const AUDITED: ReadonlySet<OperationName> = new Set<OperationName>([
  ...(['agent.start', 'kernel.agent.create', 'kernel.agent.transition', 'kernel.agent.terminate', 'process.signal'] as const),
  ...(['kernel.cap.create', 'kernel.cap.derive', 'grant.narrow', 'grant.revoke'] as const),
  ...(['kernel.ledger.create', 'kernel.ledger.refund', 'kernel.ledger.update_grant'] as const),
  ...(['ledger.account.create', 'ledger.account.refund', 'ledger.account.update_grant'] as const),
  ...(['ledger.workspace.create', 'ledger.workspace.refund', 'ledger.workspace.update_grant'] as const),
  ...(['token.create', 'token.create_operator', 'token.revoke', 'workspace.create', 'workspace.update'] as const),
  ...(['approval.approve', 'approval.reject', 'approval.cancel', 'approval.revoke_rule'] as const),
  ...(['policy.reload', 'capability.reload', 'alert.acknowledge', 'taint.clear', 'daemon.stop', 'store.backup'] as const),
]);

export async function auditOperation<Result>(
  audit: Pick<AuditGuard, 'ready' | 'append'>,
  name: OperationName,
  params: object,
  { caller: { principal, name: callerName, tokenId }, workspace }: Call,
  act: () => Promise<Result>,
): Promise<Result> {
  if (principal.kind === 'process' || !AUDITED.has(name)) return await act();
  await audit.ready();
  const actor: AuditActor = { kind: principal.kind, name: callerName ?? principal.kind };
  const entry = {
    kind: 'operator',
    workspace,
    actor,
    action: name,
    input: redactInput(params) as JsonObject,
    ...(tokenId !== undefined && { details: { token_id: tokenId } }),
  } as const; // Parameters are an object.
  let result: Result;
  try {
    result = await act();
  } catch (error) {
    const isDenied = isFault(error, 'permission_denied') || isFault(error, 'conflict');
    const failure = isFault(error) ? { type: error.code, message: error.message } : { type: 'internal', message: 'an error of ours' };
    await audit.append({ ...entry, outcome: isDenied ? 'denied' : 'failure', error: failure });
    throw error;
  }
  await audit.append({ ...entry, outcome: 'success' });
  return result;
}

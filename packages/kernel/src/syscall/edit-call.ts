/** Arguments that an approver puts in the place of those of the call: as valid as any, and what policy blocks stays blocked. */
import { Fault, type WorkspaceId } from '@warren/protocol';
import type { Edited } from '../approval/desk.ts';
import type { Policy } from '../policy/policy.ts';
import type { CallRow } from '../store/tables/call-table.ts';
import { requireLive } from './begin-call.ts';
import type { GateError } from './call-error.ts';
import type { CapabilityTable } from './capability.ts';
import { checkGrants } from './check-grants.ts';
import { decideCall } from './decide-call.ts';
import { readRecord } from './journal-record.ts';
import type { Redact } from './redact.ts';
import { resolveCall } from './resolve-call.ts';
import { validateInput } from './validate-input.ts';

export type EditParts = {
  readonly capabilities: CapabilityTable;
  readonly policyOf: (workspace: WorkspaceId) => Policy;
  readonly redactorOf: (workspace: WorkspaceId) => Redact;
};

/** Throws `invalid_argument`. */
export function editCall(parts: EditParts, workspace: WorkspaceId, call: CallRow, input: unknown): Edited {
  const { pid } = call;
  const resolved = resolveCall(parts.capabilities, call.capability);
  if (resolved.kind === 'refused') throw refused(resolved.error);
  const validated = validateInput(pid, resolved.capability, input, parts.redactorOf(workspace));
  if (validated.kind === 'refused') throw refused(validated.error);
  const valid = validated.call;
  const policy = parts.policyOf(workspace);
  const { agent, taint } = readRecord(call.record);
  return {
    input: valid.input,
    redacted: valid.recorded,
    callHash: valid.callHash,
    inputHash: valid.inputHash,
    check(transaction) {
      requireLive(transaction, pid);
      const decided = decideCall(transaction, policy, valid, { pid, agent, taint }, true);
      if (decided.kind === 'refused') throw refused(decided.error);
      const missing = checkGrants(transaction, pid, call.capability, valid.facts);
      if (missing !== undefined) throw refused(missing);
      const { tier, ask: terms, rule } = decided.decision;
      return tier === 'approval_required' ? { terms, rule } : undefined;
    },
  };
}

function refused(error: GateError): Fault {
  return new Fault('invalid_argument', `Cannot use these arguments: ${error.message}`, {
    details: { field: 'input', type: error.type, ...(error.context !== undefined && { context: error.context }) },
  });
}

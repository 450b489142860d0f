/** Every operation as JSON-RPC calls it: parse, find the workspace, ask whether the caller may, hand it to its handler. */
import { AuditGuard, type Kernel, type WorkspaceKernel } from '@warren/kernel';
import type { Platform } from '@warren/platform';
import { Fault, type JsonObject } from '@warren/protocol';
import { OPERATIONS, type OperationName, type Params, parseParams } from '@warren/protocol/contract';
import { authorize, requireAllowed } from '../caller/authorize.ts';
import type { Caller } from '../caller/caller.ts';
import { isBelowIn } from '../caller/is-below.ts';
import type { Places } from '../caller/places.ts';
import { createProcessKernel } from '../caller/process-kernel.ts';
import { requireGate } from '../caller/require-gate.ts';
import { requireRunning } from '../caller/require-running.ts';
import { selectWorkspace } from '../caller/select-workspace.ts';
import type { Method } from '../jsonrpc/calls.ts';
import { AGENT_HANDLERS } from './agent.ts';
import { createAgentRunHandlers } from './agent-run.ts';
import { ALERT_HANDLERS } from './alert.ts';
import { createApiHandlers } from './api.ts';
import { APPROVAL_HANDLERS } from './approval.ts';
import { createAuditHandlers } from './audit.ts';
import { auditOperation } from './audit-operation.ts';
import { createCallHandlers } from './call.ts';
import { createCapabilityHandlers } from './capability.ts';
import { createDaemonHandlers, type Daemon } from './daemon.ts';
import { createEventHandlers } from './event.ts';
import { createFileHandlers } from './file.ts';
import { GRANT_HANDLERS } from './grant.ts';
import type { Call, Handlers } from './handler.ts';
import { LEDGER_HANDLERS } from './ledger.ts';
import { MAIL_HANDLERS } from './mail.ts';
import { createObserveHandlers } from './observe.ts';
import { createPolicyHandlers } from './policy.ts';
import { PROCESS_HANDLERS } from './process.ts';
import { createQueueHandlers } from './queue.ts';
import { REGISTRY_HANDLERS } from './registry.ts';
import { createTaintHandlers } from './taint.ts';
import { createTokenHandlers } from './token.ts';
import { createWorkspaceHandlers } from './workspace.ts';

export type MethodParts = {
  readonly kernel: Kernel;
  readonly daemon: Daemon;
  readonly metrics: () => Promise<string>;
  /** Places for calls that wait. */
  readonly waits: Places;
  /** Undefined where nothing runs that could act for agents. */
  readonly platform?: Platform | undefined;
};

export function createMethods(parts: MethodParts): ReadonlyMap<string, Method<Caller>> {
  const handlers = createHandlers(parts);
  const audit = parts.platform === undefined ? undefined : new AuditGuard(parts.platform.audit);
  const names = Object.keys(OPERATIONS) as OperationName[]; // Object.keys forgets them.
  return new Map(names.map((name) => [name, createMethod(name, handlers, parts, audit)]));
}

function createHandlers({ kernel, daemon, metrics, platform }: MethodParts): Handlers {
  const { version } = daemon;
  const acting = (): Platform => {
    if (platform !== undefined) return platform;
    throw new Fault('unsupported', 'Cannot act for agents: no daemon runs', { details: { fix: 'warren serve --detach' } });
  };
  return {
    ...AGENT_HANDLERS,
    ...PROCESS_HANDLERS,
    ...createEventHandlers(kernel),
    ...GRANT_HANDLERS,
    ...LEDGER_HANDLERS,
    ...createQueueHandlers(kernel),
    ...MAIL_HANDLERS,
    ...REGISTRY_HANDLERS,
    ...createFileHandlers(),
    ...createObserveHandlers({ version, metrics }),
    ...createApiHandlers({ version, schemaVersion: kernel.store.schemaVersion }),
    ...createTokenHandlers(kernel),
    ...createWorkspaceHandlers(kernel),
    ...createCallHandlers(acting),
    ...createCapabilityHandlers(acting),
    ...APPROVAL_HANDLERS,
    ...createPolicyHandlers(acting),
    ...createAuditHandlers(acting),
    ...ALERT_HANDLERS,
    ...createTaintHandlers(acting),
    ...createAgentRunHandlers(acting),
    ...createDaemonHandlers(kernel, daemon),
  };
}

function createMethod<Name extends OperationName>(
  name: Name,
  handlers: Handlers,
  { kernel, waits }: MethodParts,
  audit: AuditGuard | undefined,
): Method<Caller> {
  const { scope, effect } = OPERATIONS[name];
  const handle = handlers[name];
  return async (given: JsonObject, caller) => {
    const { principal, workspace: header, signal } = caller;
    const params = parseParams(name, given);
    const named = namedWorkspace(params) ?? header;
    const workspace = selectWorkspace(principal, named);
    requireAllowed(await authorize(principal, scope, params, isBelowIn(kernel, workspace)), `call ${name}`);
    if (principal.kind === 'process') {
      await requireGate(kernel, workspace, principal.pid, name);
      if (effect !== 'read') await requireRunning(kernel.workspace(workspace), principal.pid, `call ${name}`);
    }
    using place = new DisposableStack();
    const call: Call = {
      principal,
      caller,
      workspace,
      isWorkspaceNamed: principal.kind !== 'operator' || named !== undefined,
      // Not before it is asked for: it may not exist, and then need not be remembered.
      get mine(): WorkspaceKernel {
        const mine = kernel.workspace(workspace);
        return principal.kind === 'process' ? createProcessKernel(mine, principal.pid) : mine;
      },
      // Only who is going to wait asks for it.
      signal() {
        place.use(waits.take(principal, 'calls that wait'));
        return signal();
      },
    };
    return audit === undefined ? await handle(params, call) : await auditOperation(audit, name, params, call, () => handle(params, call));
  };
}

/** Where an operation has a parameter for it, that wins over the header. */
function namedWorkspace(params: Params<OperationName>): string | undefined {
  return 'workspace' in params ? params.workspace : undefined;
}

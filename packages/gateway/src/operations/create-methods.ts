/** Every operation as JSON-RPC calls it: parse, find the workspace, ask whether the caller may, record it where it changes something, hand it to its handler. */
import { randomBytes } from 'node:crypto';
import { type Kernel, OperationJournal, type WorkspaceKernel } from '@warren/kernel';
import type { Platform } from '@warren/platform';
import { createId, DEFAULT_WORKSPACE, Fault, isFault, type JsonObject, type WorkspaceId } from '@warren/protocol';
import { OPERATIONS, type OperationName, type Params, parseParams } from '@warren/protocol/contract';
import { authorize, requireAllowed } from '../caller/authorize.ts';
import type { Caller } from '../caller/caller.ts';
import { familyIn } from '../caller/family.ts';
import { CALLS_THAT_WAIT, type Places } from '../caller/places.ts';
import { createProcessKernel } from '../caller/process-kernel.ts';
import { requireGate, requireGateOfAgent } from '../caller/require-gate.ts';
import { requireRunning } from '../caller/require-running.ts';
import type { Seats } from '../caller/seats.ts';
import { selectWorkspace } from '../caller/select-workspace.ts';
import type { Method } from '../jsonrpc/calls.ts';
import { AGENT_HANDLERS } from './agent.ts';
import { createAgentRecordHandlers } from './agent-record.ts';
import { createAgentRunHandlers } from './agent-run.ts';
import { ALERT_HANDLERS } from './alert.ts';
import { createApiHandlers } from './api.ts';
import { APPROVAL_HANDLERS } from './approval.ts';
import { createAuditHandlers } from './audit.ts';
import { actorOf, auditOperation } from './audit-operation.ts';
import { isAudited } from './audited-operations.ts';
import { createCallHandlers } from './call.ts';
import { createCapabilityHandlers } from './capability.ts';
import { createDaemonHandlers, type Daemon } from './daemon.ts';
import { createEventHandlers } from './event.ts';
import { createFileHandlers } from './file.ts';
import { GRANT_HANDLERS } from './grant.ts';
import type { Call, Handlers } from './handler.ts';
import { createHookHandlers } from './hook.ts';
import { LEDGER_HANDLERS } from './ledger.ts';
import { MAIL_HANDLERS } from './mail.ts';
import { createMcpServerHandlers } from './mcp-server.ts';
import { createMemoryHandlers } from './memory.ts';
import { createObserveHandlers } from './observe.ts';
import { createPersonHandlers } from './person.ts';
import { createPolicyHandlers } from './policy.ts';
import { PROCESS_HANDLERS } from './process.ts';
import { createQueueHandlers } from './queue.ts';
import type { RefusedAttempt, RefusedAttempts } from './refused-attempts.ts';
import { REGISTRY_HANDLERS } from './registry.ts';
import { createSecretHandlers } from './secret.ts';
import { createSkillHandlers } from './skill.ts';
import { createTaintHandlers } from './taint.ts';
import { createTokenHandlers } from './token.ts';
import { createToolHandlers } from './tool.ts';
import { createTranscriptHandlers } from './transcript.ts';
import { createVaultHandlers } from './vault.ts';
import { createWorkspaceHandlers } from './workspace.ts';

export type MethodParts = {
  readonly kernel: Kernel;
  readonly daemon: Daemon;
  readonly metrics: () => Promise<string>;
  /** Places for calls that wait. */
  readonly waits: Places;
  /** Undefined where nothing runs that could act for agents. */
  readonly platform?: Platform | undefined;
  /** There is one wherever there is a platform. */
  readonly seats?: Seats | undefined;
  /** Undefined where nothing is recorded. */
  readonly refused?: RefusedAttempts | undefined;
};

export function createMethods(parts: MethodParts): ReadonlyMap<string, Method<Caller>> {
  const handlers = createHandlers(parts);
  const audit = parts.platform?.audit;
  const journal = audit === undefined ? undefined : new OperationJournal({ audit, newId: () => createId('operation', randomBytes) });
  const names = Object.keys(OPERATIONS) as OperationName[]; // Object.keys forgets them.
  return new Map(names.map((name) => [name, createMethod(name, handlers, parts, journal)]));
}

function createHandlers({ kernel, daemon, metrics, platform, seats }: MethodParts): Handlers {
  const { version } = daemon;
  const acting = (): Platform => platform ?? refuseActing();
  const seated = (): Seats => seats ?? refuseActing();
  return {
    ...AGENT_HANDLERS,
    ...PROCESS_HANDLERS,
    ...createEventHandlers(kernel),
    ...GRANT_HANDLERS,
    ...LEDGER_HANDLERS,
    ...createQueueHandlers(kernel),
    ...MAIL_HANDLERS,
    ...REGISTRY_HANDLERS,
    ...createFileHandlers(platform?.room),
    ...createObserveHandlers({ version, metrics }),
    ...createApiHandlers({ version, schemaVersion: kernel.store.schemaVersion }),
    ...createTokenHandlers(kernel),
    ...createPersonHandlers(kernel),
    ...createWorkspaceHandlers(kernel, acting),
    ...createCallHandlers(acting),
    ...createCapabilityHandlers(acting),
    ...createToolHandlers(acting, seated),
    ...createMcpServerHandlers(acting),
    ...APPROVAL_HANDLERS,
    ...createPolicyHandlers(acting),
    ...createAuditHandlers(acting),
    ...ALERT_HANDLERS,
    ...createMemoryHandlers(kernel, acting),
    ...createHookHandlers(acting),
    ...createSkillHandlers(kernel, acting),
    ...createTranscriptHandlers(kernel, acting),
    ...createSecretHandlers(kernel, acting),
    ...createVaultHandlers(acting),
    ...createTaintHandlers(acting),
    ...createAgentRunHandlers(acting),
    ...createAgentRecordHandlers(kernel, acting),
    ...createDaemonHandlers(kernel, daemon),
  };
}

function refuseActing(): never {
  throw new Fault('unsupported', 'Cannot act for agents: no daemon runs', { details: { fix: 'warren serve --detach' } });
}

function createMethod<Name extends OperationName>(
  name: Name,
  handlers: Handlers,
  { kernel, waits, refused }: MethodParts,
  journal: OperationJournal | undefined,
): Method<Caller> {
  const { effect } = OPERATIONS[name];
  const handle = handlers[name];
  const recording = isAudited(name) ? journal : undefined;
  const admit = async (caller: Caller, params: Params<Name>): Promise<WorkspaceId> => {
    const { principal } = caller;
    const workspace = selectWorkspace(principal, namedWorkspace(params) ?? caller.workspace);
    requireAllowed(await authorize(principal, OPERATIONS[name], params, familyIn(kernel, workspace)), `call ${name}`);
    if (principal.kind === 'agent') requireGateOfAgent(name);
    if (principal.kind === 'process') {
      await requireGate(kernel, workspace, principal.pid, name);
      if (effect !== 'read') await requireRunning(kernel.workspace(workspace), principal.pid, `call ${name}`);
    }
    return workspace;
  };
  return async (given: JsonObject, caller) => {
    const params = parseParams(name, given);
    const { principal } = caller;
    let workspace: WorkspaceId;
    try {
      workspace = await admit(caller, params);
    } catch (error) {
      if (isFault(error, 'permission_denied')) await refused?.add(await refusedAttempt(kernel, name, caller, error));
      throw error;
    }
    using place = new DisposableStack();
    const call: Call = {
      principal,
      caller,
      workspace,
      isWorkspaceNamed: principal.kind !== 'operator' || (namedWorkspace(params) ?? caller.workspace) !== undefined,
      // Not before it is asked for: it may not exist, and then need not be remembered.
      get mine(): WorkspaceKernel {
        const mine = kernel.workspace(workspace);
        return principal.kind === 'process' ? createProcessKernel(mine, principal.pid) : mine;
      },
      signal: () => caller.gone(),
      waiting() {
        place.use(waits.take(principal, CALLS_THAT_WAIT));
        return caller.signal();
      },
    };
    if (recording === undefined) return await handle(params, call);
    return await auditOperation(
      recording,
      name,
      params,
      call,
      () => handle(params, call),
      (pid) => agentOf(kernel, workspace, pid),
    );
  };
}

async function refusedAttempt(kernel: Kernel, action: OperationName, caller: Caller, { code, message }: Fault): Promise<RefusedAttempt> {
  const { principal } = caller;
  const workspace = principal.kind === 'operator' ? DEFAULT_WORKSPACE : principal.workspace;
  const actor = actorOf(caller, principal.kind === 'process' ? await agentOf(kernel, workspace, principal.pid) : '');
  return { kind: 'operator', workspace, actor, action, error: { type: code, message } };
}

async function agentOf(kernel: Kernel, workspace: WorkspaceId, pid: number): Promise<string> {
  return (await kernel.workspace(workspace).processes.find(pid))?.agent ?? '';
}

/** Where an operation has a parameter for it, that wins over the header. */
function namedWorkspace(params: Params<OperationName>): string | undefined {
  return 'workspace' in params ? params.workspace : undefined;
}

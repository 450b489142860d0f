/**
 * Puts the platform together: reads policies and definitions, opens the audit, hands both to the gate, and begins what runs by itself. What is opened is closed in the reverse order,
 * also when a later part does not open.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AllowRule, type CallDefect, type Kernel, type Redact, rememberAudit, withoutForms } from '@warren/kernel';
import { createId, DEFAULT_WORKSPACE, Fault, isFault, type WorkspaceId } from '@warren/protocol';
import type { OpenOptions, Sandboxes } from '@warren/sandbox';
import { createEgress, readAuthorities } from '@warren/sandbox/egress';
import { createAgents } from './agent/agents.ts';
import { createAgentSandboxes } from './agent/create-agent-sandboxes.ts';
import { LazySandboxes } from './agent/lazy-sandboxes.ts';
import { withHandlerContext } from './agent/with-handler-context.ts';
import { openAnchors, type RunGit } from './anchor/open-anchors.ts';
import { ContentKeys } from './audit/content-keys.ts';
import { ContentRecord } from './audit/content-record.ts';
import { openRecordedAudit } from './audit/open-recorded-audit.ts';
import { createRegistry, type Registry } from './capability/registry.ts';
import { shippedDefinitions } from './capability/shipped-definitions.ts';
import { loadConfig } from './config/config.ts';
import type { Config } from './config/config-format.ts';
import { LiveConfig } from './config/live-config.ts';
import { type AgentNetworkParts, openAgentNetwork } from './egress/agent-network.ts';
import { openProcessSecrets } from './egress/process-secrets.ts';
import { OpenRunNetworks } from './egress/run-networks.ts';
import { createAgentHandlers } from './handler/agent/create-agent-handlers.ts';
import { createAlertHandlers } from './handler/alerts/create-alert-handlers.ts';
import { createCodeHandlers } from './handler/code/code-handlers.ts';
import { createCommsHandlers } from './handler/comms/create-comms-handlers.ts';
import { createFilesystemHandlers } from './handler/filesystem/filesystem-handlers.ts';
import { Watches } from './handler/filesystem/watches.ts';
import { gitHandlers } from './handler/git/git-handlers.ts';
import { Workers } from './handler/internal/workers.ts';
import { createMemoryHandlers } from './handler/memory/create-memory-handlers.ts';
import { CREDENTIALED_REQUEST, createCredentialedRequest } from './handler/network/credentialed-request.ts';
import { networkHandlers } from './handler/network/network-handlers.ts';
import { processHandlers } from './handler/process/process-handlers.ts';
import { createSchedulerHandlers } from './handler/scheduler/create-scheduler-handlers.ts';
import { createSecretHandlers } from './handler/secrets/create-secret-handlers.ts';
import { createSkillHandlers } from './handler/skill/create-skill-handlers.ts';
import { createBackupKeys } from './handler/state/backup-keys.ts';
import { createBackupHandlers } from './handler/state/create-backup-handlers.ts';
import { createReportHandlers } from './handler/state/create-report-handlers.ts';
import { createStateHandlers } from './handler/state/create-state-handlers.ts';
import { MachineHistory } from './handler/system/machine-history.ts';
import { readMachine } from './handler/system/read-machine.ts';
import { createSystemHandlers } from './handler/system/system-handlers.ts';
import { openLiveHooks } from './hook/open-hooks.ts';
import { ChangedAlerts } from './mcp/changed-alerts.ts';
import { openMcpServers } from './mcp/mcp-servers.ts';
import { configuredEmbedder } from './memory/configured-embedder.ts';
import { openMemories } from './memory/open-memories.ts';
import { configuredModels } from './model/configured-models.ts';
import { createMailTarget } from './notify/mail-target.ts';
import { openNotifier } from './notify/open-notifier.ts';
import { tellStanding } from './notify/standing-alert.ts';
import { createWebhookTarget, type WebhookParts } from './notify/webhook-target.ts';
import { hashPacks, openPacks } from './pack/packs.ts';
import type { Platform } from './platform.ts';
import { openPolicies, type PoliciesStatus } from './policy/open-policies.ts';
import { parsePolicies } from './policy/parse-policies.ts';
import { PolicyAlerts } from './policy/policy-alerts.ts';
import { createPolicyOf } from './policy/policy-of.ts';
import { placeOf } from './policy/policy-places.ts';
import { ruleViews } from './policy/rule-views.ts';
import { sayProblem } from './policy/say-problem.ts';
import { simulatePolicy } from './policy/simulate-policy.ts';
import { createWorkspaceRedactors } from './redact/workspace-redactors.ts';
import { ScheduledCalls } from './schedule/scheduled-calls.ts';
import { openWorkspaceSessions } from './session/open-workspace-sessions.ts';
import { openSkills } from './skill/open-skills.ts';
import { createConfiguredSecret } from './vault/configured-secret.ts';
import { createVault } from './vault/create-vault.ts';
import { createKeeper } from './workspace/create-keeper.ts';
import { countStored, measureWorkspace } from './workspace/measure-workspace.ts';
import { refuseWhenFull } from './workspace/refuse-when-full.ts';
import { StoredBytes } from './workspace/stored-bytes.ts';

export type PlatformOptions = {
  readonly kernel: Kernel;
  /** The state directory, which the kernel holds. */
  readonly directory: string;
  /** With what their proxies are told. */
  readonly openSandboxes: (options: Pick<OpenOptions, 'egress'>) => Promise<Sandboxes>;
  readonly version?: string | undefined;
  /** For anchors of the audit in a git repository of the operator. */
  readonly runGit?: RunGit | undefined;
  /** For the key of the vault: variables, and what starts a program that prints it. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  readonly runKeyCommand?: ((argv: readonly string[]) => Promise<Uint8Array>) | undefined;
  /** Whether to notice by itself that policies and packs change. Default: yes. */
  readonly isWatching?: boolean | undefined;
  /** Default: `skills` in the directory. */
  readonly skillsDirectory?: string | undefined;
  /** What an operator should know: for the log. */
  readonly say?: ((message: string) => void) | undefined;
  /** What an operator has to mend. Absent: as `say`. */
  readonly warn?: ((message: string) => void) | undefined;
  /** An implementation threw what it never should: for the log, under the id of the call, which its answer has too. */
  readonly onDefect?: ((defect: CallDefect) => void) | undefined;
};

/** Calls of a process that a briefing looks back over. */
const BRIEFED_CALLS_MAX = 1_000;
const DAY_MS = 86_400_000;

/** Throws what cannot be used, with file and line; nothing stays open then. */
export async function openPlatform(options: PlatformOptions): Promise<Platform> {
  await using opening = new AsyncDisposableStack();
  const platform = await open(options, opening);
  const owned = opening.move();
  return { ...platform, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function open(options: PlatformOptions, owned: AsyncDisposableStack): Promise<Omit<Platform, typeof Symbol.asyncDispose>> {
  const { kernel, directory, openSandboxes, version, runGit, isWatching = true, onDefect } = options;
  const { skillsDirectory = join(directory, 'skills') } = options;
  let everywhere: Redact = withoutForms;
  const say = (message: string): void => options.say?.(everywhere(message));
  const warn = (message: string): void => (options.warn ?? options.say)?.(everywhere(message));
  const now = (): number => Date.now();
  const { config, hash: configHash } = await loadConfig(directory);
  const exists = (id: WorkspaceId) => kernel.store.readSystem(({ workspaces }) => workspaces.find(id) !== undefined);
  const contentKeys = new ContentKeys({ directory, exists });
  const audit = owned.use(await openRecordedAudit({ store: kernel.store, directory, now, keys: contentKeys, say }));
  const content = await ContentRecord.open(audit);
  owned.defer(async () => {
    try {
      await content.stopped();
      await rememberAudit(kernel.store.workspace(DEFAULT_WORKSPACE), audit.head());
    } catch (error) {
      say(`That Warren stops could not be recorded: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
  await content.change('config', configHash);
  const live = new LiveConfig(config, {
    directory,
    onChange: (hash) => content.change('config', hash),
    onRefused: (problem) => content.refused('config', problem),
    async tell(problem) {
      const message =
        problem === undefined ? undefined : `The configuration on disk cannot be used; the one before stays in force\n${problem}`;
      await tellStanding(kernel.workspace(DEFAULT_WORKSPACE).alerts, 'config', message);
    },
    say,
  });
  const room = owned.use(
    new StoredBytes({
      count: (id, signal) => countStored({ directory, store: kernel.store }, id, signal),
      maxOf: async (id) => (await kernel.workspaces.get(id)).settings.storedBytesMax,
      elapsedMs: () => performance.now(),
    }),
  );
  const vault = createVault({
    ...{ kernel, directory, now, say, room },
    key: () => live.current.vault.key,
    environment: options.environment ?? {},
    runCommand: options.runKeyCommand,
  });
  const redactors = owned.use(
    createWorkspaceRedactors(
      { values: (workspace) => vault.secrets(workspace).values(), onChange: (listener) => vault.onChange(listener) },
      say,
    ),
  );
  everywhere = redactors.everywhere;
  vault.guardUse((workspace, name, value) => redactors.require(workspace, name, value));
  await vault.tellIfLocked();
  const secretOf = createConfiguredSecret(vault.secrets(DEFAULT_WORKSPACE));
  // One of a life before is mended: we are here.
  await tellStanding(kernel.workspace(DEFAULT_WORKSPACE).alerts, 'config', undefined);
  const policyAlerts = owned.use(
    new PolicyAlerts({
      alertsOf: (id) => kernel.workspace(id).alerts,
      known: (await kernel.workspaces.list()).map(({ id }) => id),
      say,
    }),
  );
  const policies = owned.use(
    await openPolicies({
      ...{ directory: join(directory, 'policies'), now, isWatching, say },
      onChange: (hash) => content.change('policies', hash),
      onRead: (status) => {
        const { text, mistake } = sayRead(status);
        (mistake === undefined ? say : warn)(text);
        void policyAlerts.tell(status.problems);
        if (mistake === undefined) return;
        content
          .refused('policies', mistake)
          .catch((error: unknown) => say(`That policies have mistakes could not be recorded: ${String(error)}`));
      },
    }),
  );
  owned.use(openAnchors({ audit, config: config.audit, now, runGit, say }));
  const { private_networks: privateNetworks, ca_file: caFile } = config.egress;
  const tls = caFile === undefined ? {} : { ca: await readAuthorities(caFile, 'egress.ca_file') };
  const sandboxes = owned.use(new LazySandboxes(() => openSandboxes({ egress: { tls } })));
  const egress = owned.use(createEgress({ privateNetworks, tls }));
  const ways: AgentNetworkParts = {
    permits: (id, pid, onChange) => need(late.platform).gate.permits(id, pid, onChange),
    workspace: (id) => kernel.workspace(id),
    onPolicyChange: (listener) => policies.onChange(listener),
    privateNetworks,
    secretsOf: (id) => openProcessSecrets(vault.secrets(id), (message) => say(`Workspace ${id}: ${message}`)),
  };
  const agentSandboxes = owned.use(
    createAgentSandboxes({
      sandboxes,
      workspace: (id) => kernel.workspace(id),
      directoryOf: (id) => filesOf(directory, id),
      onCommit: (listener) => kernel.store.onCommit(listener),
      now,
      openNetwork: (id, pid, hosts) => openAgentNetwork(ways, id, pid, hosts),
    }),
  );
  const runNetworks = owned.use(new OpenRunNetworks({ kernel, secretsOf: (id) => vault.secrets(id), egress: { privateNetworks, tls } }));
  const memories = owned.use(openMemories({ directory, embedder: configuredEmbedder(config, secretOf), now, room }));
  const models = configuredModels(config, { secretOf, environment: options.environment ?? {}, now });
  const sessions = owned.use(openWorkspaceSessions({ directory, now, room }));
  const workers = owned.use(new Workers());
  const watches = owned.use(new Watches({ sandboxes: agentSandboxes, now }));
  const history = new MachineHistory({ read: readMachine, now: () => performance.now() });
  owned.use(every(MachineHistory.intervalMs, () => history.sample()));
  const builtin = await shippedDefinitions();
  const packs = await openPacks({ folder: join(directory, 'capabilities'), sandboxes, builtin });

  const changedAlerts = owned.use(new ChangedAlerts({ alerts: kernel.workspace(DEFAULT_WORKSPACE).alerts, say }));
  const mcpServers = owned.use(
    await openMcpServers({
      ...{ directory, sandboxes, egress, now, say, secretOf, version: version ?? 'unknown' },
      onCompared: (server, isChanged) => void changedAlerts.tell(server, isChanged),
      async onChange() {
        await content.change('mcp', mcpServers.hash);
        await need(late.registry).reload();
      },
    }),
  );
  await content.change('mcp', mcpServers.hash);
  void changedAlerts.keepOnly(mcpServers.list().map(({ name }) => name));

  const skills = owned.use(
    await openSkills({
      ...{ sandboxes, isWatching, say, folder: skillsDirectory },
      directoryOf: (id) => join(directory, 'workspaces', id),
      filesOf: (id) => filesOf(directory, id),
      useSecret: (workspace, name, use) => vault.secrets(workspace).use(name, use),
      privateNetworks,
      redactorOf: redactors.of,
      onLog: (workspace, skill, log) => log !== '' && say(`Skill ${skill} in workspace ${workspace} says: ${log.trimEnd()}`),
    }),
  );

  // What stands below is needed by handlers, which are made first: they ask for it when they are called.
  const late: { registry?: Registry; platform?: Omit<Platform, typeof Symbol.asyncDispose>; scheduled?: ScheduledCalls } = {};
  const need = <Part>(part: Part | undefined): Part => {
    if (part === undefined) throw new Fault('unavailable', 'Cannot do it yet: Warren is still starting');
    return part;
  };
  const newId = (): string => createId('snapshot', randomBytes);
  const about = {
    offered: (workspace: WorkspaceId, pid: number) => need(late.platform).gate.offered(workspace, pid),
    definition: (name: string) => need(late.registry).findDefinition(name),
    rules: (workspace: WorkspaceId, agent: string) => ruleViews(policies.filesFor(workspace, agent)),
    async callsOf(workspace: WorkspaceId, pid: number, since: number) {
      return (
        await audit.search({ workspace, pid, kind: 'syscall', outcome: 'success', from: since, newest: true, limit: BRIEFED_CALLS_MAX })
      ).entries;
    },
    health: async () => 'healthy',
    ...{ now, newId },
  };
  const registry = await createRegistry({
    builtin,
    handlers: refuseWhenFull(
      {
        ...createFilesystemHandlers({ sandboxes: agentSandboxes, workers, watches, now }),
        ...createCodeHandlers({ workers, now }),
        ...processHandlers,
        ...gitHandlers,
        ...networkHandlers,
        [CREDENTIALED_REQUEST]: createCredentialedRequest((workspace) => vault.secrets(workspace)),
        ...createSecretHandlers({ secrets: (workspace) => vault.secrets(workspace), vault }),
        ...createSystemHandlers({ version, directory, now, history }),
        ...createStateHandlers(),
        ...createSkillHandlers({ skills }),
        ...createReportHandlers(about),
        ...createMemoryHandlers({ memories, now }),
        ...createBackupHandlers({
          newId: () => createId('backup', randomBytes),
          keyOf: createBackupKeys(join(directory, 'backup.key')),
          now,
        }),
        ...createCommsHandlers({ now }),
        ...createAlertHandlers(),
        ...createSchedulerHandlers({ calls: () => need(late.scheduled), capabilities: () => need(late.registry), now }),
        ...createAgentHandlers(about),
      },
      room,
    ),
    wrap: (context, use) => withHandlerContext({ kernel, sandboxes: agentSandboxes, egress }, context, use),
    mounted: () => mcpServers.mounted(),
    async readPacks(known) {
      const read = await packs.read(known);
      await content.change('packs', hashPacks(read), {
        packs: read.packs.map(({ name, version: of }) => `${name} ${of}`),
        broken: [...read.broken],
      });
      return read;
    },
  });
  late.registry = registry;
  for (const { file, line, reason } of registry.problems()) say(`A pack is not used: ${file}:${line}: ${reason}`);
  if (isWatching)
    owned.use(packs.watch(() => void registry.reload().catch((error: unknown) => say(`Packs cannot be read: ${String(error)}`)), say));

  const hooks = owned.use(
    await openLiveHooks({
      ...{ directory, kernel, sandboxes, egress, now, isWatching, say },
      onChange: (hash) => content.change('hooks', hash),
      tell: (problem) => tellStanding(kernel.workspace(DEFAULT_WORKSPACE).alerts, 'hooks', problem),
    }),
  );
  await content.change('hooks', hooks.hash);
  await content.started(version ?? 'unknown');
  const gate = owned.use(
    await kernel.openGate({
      ...{
        capabilities: registry,
        policyOf: (id) => policies.policyOf(id),
        audit,
        ...{ redactorOf: redactors.of, prepare: redactors.ready, onDefect },
      },
      review: (call) => hooks.review(call),
    }),
  );
  const scheduled = owned.use(new ScheduledCalls({ kernel, gate, now, newId: () => createId('job', randomBytes), say }));
  late.scheduled = scheduled;
  const keeper = createKeeper({
    ...{
      directory,
      gate,
      parts: [{ stop: (id) => scheduled.stopWorkspace(id) }, runNetworks, watches, agentSandboxes, mcpServers, memories, sessions],
    },
    async forget(workspace) {
      contentKeys.forget(workspace);
      room.forget(workspace);
      hooks.forget(workspace);
      await policies.reload();
    },
  });
  owned.use(kernel.workspaces.keep(keeper));
  await kernel.workspaces.finishDeletions();
  const notifier = owned.use(
    await openNotifier({
      kernel,
      directory: join(directory, 'notify'),
      targets: targetsOf(config, { now, secretOf }),
      now,
      pause: async (ms, signal) => void (await sleep(ms, undefined, { signal, ref: false })),
      say,
      async redactorOf(id) {
        const redact = redactors.of(id); // Held from here on: what is read is read into it.
        await redactors.ready(id);
        return redact;
      },
    }),
  );
  const platform = {
    ...{
      gate,
      audit,
      capabilities: registry,
      packs,
      mcpServers,
      policies,
      notifier,
      memories,
      models,
      hooks,
      sessions,
      skills,
      vault,
      room,
      runNetworks,
    },
    async drain(options) {
      scheduled.stop();
      await gate.close(options);
    },
    secrets: (workspace) => vault.secrets(workspace),
    config: () => live.current,
    reloadConfig: () => live.reload(),
    agents: createAgents(kernel),
    explain: (workspace, question) => gate.explain(workspace, question),
    async simulate(files, { limit, ...period }, signal) {
      const ofWhich = (period.workspace ?? DEFAULT_WORKSPACE) as WorkspaceId; // One that does not exist has no calls.
      const texts = files.map(
        ({ path, text }) =>
          ({ found: placeOf(path) ?? { layer: 'workspace', file: path, workspace: ofWhich, agent: undefined }, content: text }) as const,
      );
      const parsed = parsePolicies({ texts, problems: [] });
      const nothing = { calls: 0, same: 0, stricter: 0, milder: 0, gone: 0, changes: [] };
      if (parsed.problems.some(({ severity }) => severity === 'error')) return { ...nothing, problems: parsed.problems };
      const capability = (name: string) => registry.find(name);
      const entries = recordedCalls(audit, period, signal);
      const allowRulesOf = (id: WorkspaceId) => allowRulesIn(kernel, id);
      const simulated = await simulatePolicy({ entries, policyOf: createPolicyOf(parsed), allowRulesOf, capability, limit, signal });
      return { ...simulated, problems: parsed.problems };
    },
    usageOf: (workspace, signal) =>
      measureWorkspace({ directory, memories, mine: kernel.workspace(workspace), store: kernel.store }, signal),
    taints: (workspace, pid) => gate.taints(workspace, pid),
    clearTaints: (workspace, pid) => gate.clearTaints(workspace, pid),
    unfinishedCalls: (workspace, filter) => gate.unfinished(workspace, filter),
  } satisfies Omit<Platform, typeof Symbol.asyncDispose>;
  late.platform = platform;
  await gate.begin(); // Everything is there that implementations need.
  await scheduled.begin();
  owned.use(purgeDaily(() => audit.purge(now() - live.current.audit.retention), say));
  return platform;
}

/** Also those that hold no more. A workspace that was deleted left none. */
async function allowRulesIn(kernel: Kernel, id: WorkspaceId): Promise<readonly AllowRule[]> {
  try {
    return await kernel.workspace(id).approvals.listRules({ all: true });
  } catch (error) {
    if (isFault(error, 'not_found')) return [];
    throw error;
  }
}

function sayRead({ problems, version }: PoliciesStatus): { readonly text: string; readonly mistake: string | undefined } {
  const first = problems.find(({ severity }) => severity === 'error');
  if (first === undefined) return { text: `Policies are in force, version ${version.slice(0, 12)}`, mistake: undefined };
  const mistake = sayProblem(first);
  return { text: `Policies on disk have mistakes${version === '' ? '' : ', those before stay in force'}: ${mistake}`, mistake };
}

/** What the agents of a workspace see at `/workspace`. */
function filesOf(directory: string, id: WorkspaceId): string {
  const path = join(directory, 'workspaces', id, 'files');
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

function targetsOf({ notify }: Config, parts: WebhookParts) {
  return [...notify.webhooks.map((each) => createWebhookTarget(each, parts)), ...notify.mail.map(createMailTarget)];
}

async function* recordedCalls(
  audit: Platform['audit'],
  {
    from,
    to,
    workspace,
  }: { readonly from?: number | undefined; readonly to?: number | undefined; readonly workspace?: string | undefined },
  signal: AbortSignal,
) {
  for (let cursor: number | undefined; ; ) {
    signal.throwIfAborted();
    const { entries, next } = await audit.search({ kind: 'syscall', from, to, workspace, cursor, limit: 1_000 });
    yield* entries;
    if (next === undefined) return;
    cursor = next;
  }
}

function every(ms: number, act: () => void): Disposable {
  const timer = setInterval(act, ms).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Now and once a day. */
function purgeDaily(purge: () => Promise<number>, say: (message: string) => void): Disposable {
  const run = (): void => void purge().then((count) => count > 0 && say(`${count} entries of the audit were past their time`), (error: unknown) => say(`The audit could not be purged: ${String(error)}`)); // biome-ignore format: one line
  run();
  return every(DAY_MS, run);
}

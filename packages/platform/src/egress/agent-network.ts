/**
 * The way out of an agent's sandbox: what its commands may reach is what the process was granted, each request decided as the agent's own call of
 * `network.http_request` would be. Connections are opened by the proxy, so that method and path are known; what was allowed ends when it would not be any more.
 *
 * A request is no call of its own: the command was one, and a thousand requests of one `npm install` are not a thousand of an agent's doings. What every request does
 * keep to: policy, grants, budgets and limits as they are at that moment; the first to a host by a method is on disk before it is sent; all are in the events;
 * their bytes are in the ledger, and a budget that is spent ends them.
 */
import type { Permits, WorkspaceKernel } from '@warren/kernel';
import type { WorkspaceId } from '@warren/protocol';
import type { DenialReason, EgressAsked, EgressEvent, EgressNetwork, EgressVerdict } from '@warren/sandbox';
import { ByteAccount } from './byte-account.ts';
import { DecisionLog } from './decision-log.ts';
import type { PlacedSecrets } from './place-secrets.ts';

export type AgentNetworkParts = {
  readonly permits: (workspace: WorkspaceId, pid: number, onChange: () => void) => Permits;
  readonly workspace: (id: WorkspaceId) => Pick<WorkspaceKernel, 'events' | 'ledger' | 'taints'>;
  /** Returns how to stop it. */
  readonly onPolicyChange: (listener: () => void) => () => void;
  /** As `EgressRules` says it. */
  readonly privateNetworks: readonly string[];
  /** What commands may have of the secrets of a workspace (`openProcessSecrets`); asked when a sandbox starts. Absent: nothing. */
  readonly secretsOf?: ((workspace: WorkspaceId) => Promise<PlacedSecrets | undefined>) | undefined;
};

export type AgentNetwork = AsyncDisposable & {
  readonly network: EgressNetwork;
  /** For the environment of its commands. */
  readonly env: Readonly<Record<string, string>>;
};

/** The capability that does for an agent what its commands do by themselves. */
const CAPABILITY = 'network.http_request';
const LABEL = 'web';
const LABEL_LENGTH_MAX = 64;
/** Of a proxy; whoever holds more hosts is held to them by the permits alone. */
const RULES_MAX = 256;
const REASONS = {
  policy: 'policy_denied',
  approval: 'approval_required',
  grant: 'host_not_allowed',
  budget: 'budget_exceeded',
  stopped: 'unavailable',
} as const satisfies Record<string, DenialReason>;

/** `hosts`: as the process holds them, at least one. The caller disposes it when the sandbox is gone. */
export async function openAgentNetwork(
  parts: AgentNetworkParts,
  id: WorkspaceId,
  pid: number,
  hosts: readonly string[],
): Promise<AgentNetwork> {
  const known = await parts.secretsOf?.(id);
  const guide = new NetworkGuide(parts, id, pid);
  const patterns = hosts.length > RULES_MAX ? ['*'] : hosts;
  return {
    env: known?.env ?? {},
    network: {
      kind: 'egress',
      rules: patterns.map((host) => ({ host, inspect: true })),
      privateNetworks: parts.privateNetworks,
      decide: (asked) => guide.decide(asked),
      onEvent: (event) => guide.note(event),
      onTraffic: ({ bytesSent, bytesReceived }) => guide.charge(bytesSent + bytesReceived),
      ...(known === undefined ? {} : { secrets: known.secrets }),
    },
    [Symbol.asyncDispose]: () => guide[Symbol.asyncDispose](),
  };
}

type Live = { readonly asked: EgressAsked; readonly ending: AbortController };

class NetworkGuide implements AsyncDisposable {
  readonly #permits: Permits;
  readonly #taints: Pick<WorkspaceKernel, 'taints'>['taints'];
  readonly #pid: number;
  readonly #log: DecisionLog;
  readonly #bytes: ByteAccount;
  /** What was allowed and has not ended. */
  readonly #live = new Set<Live>();
  readonly #labelled = new Set<string>();
  readonly #stopListening: () => void;
  #isLookingAgain = false;

  constructor({ permits, workspace, onPolicyChange }: AgentNetworkParts, id: WorkspaceId, pid: number) {
    const { events, ledger, taints } = workspace(id);
    this.#pid = pid;
    this.#taints = taints;
    this.#permits = permits(id, pid, () => this.#lookAgainSoon());
    this.#stopListening = onPolicyChange(() => this.#lookAgainSoon());
    this.#log = new DecisionLog((payload) => events.append({ pid, kind: 'egress.decided', payload }));
    this.#bytes = new ByteAccount(
      (bytes) => ledger.record(pid, { net_bytes: bytes }),
      () => this.#endAll(),
    );
  }

  async decide(asked: EgressAsked): Promise<EgressVerdict> {
    this.#bytes.requireWhole();
    const live: Live = { asked, ending: new AbortController() };
    this.#live.add(live); // Before the first look: what changes meanwhile is not missed.
    try {
      const verdict = await this.#decide(live);
      if (verdict.kind !== 'allowed') this.#live.delete(live);
      return verdict;
    } catch (error) {
      this.#live.delete(live);
      throw error;
    }
  }

  async #decide(live: Live): Promise<EgressVerdict> {
    const { asked, ending } = live;
    const permit = await this.#permits.decide(questionOf(asked, false));
    if (permit.kind === 'refused') return { kind: 'denied', reason: REASONS[permit.reason], message: permit.message };
    await this.#label(asked.host);
    await this.#log.allow(asked);
    return { kind: 'allowed', until: ending.signal, onEnd: () => this.#live.delete(live) };
  }

  /** What was allowed was noted when it was decided. */
  note(event: EgressEvent): void {
    if (event.kind === 'denied' || event.kind === 'failed') this.#log.refuse(event);
  }

  charge(bytes: number): void {
    this.#bytes.add(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopListening();
    this.#permits[Symbol.dispose]();
    this.#endAll();
    await Promise.all([this.#log[Symbol.asyncDispose](), this.#bytes[Symbol.asyncDispose]()]);
  }

  /** What comes from there is on the process, and on what it may write, before it comes. */
  async #label(host: string): Promise<void> {
    if (this.#labelled.has(host)) return;
    const of = `${LABEL}:${host}`;
    const labels = of.length <= LABEL_LENGTH_MAX ? [LABEL, of] : [LABEL];
    await this.#taints.add(this.#pid, labels);
    await this.#taints.labelFiles(this.#pid, labels);
    if (this.#labelled.size < LABELLED_MAX) this.#labelled.add(host);
  }

  #lookAgainSoon(): void {
    if (this.#isLookingAgain || this.#live.size === 0) return;
    this.#isLookingAgain = true;
    setImmediate(() => {
      this.#isLookingAgain = false;
      for (const live of this.#live) void this.#lookAgain(live);
    });
  }

  async #lookAgain({ asked, ending }: Live): Promise<void> {
    try {
      const permit = await this.#permits.decide(questionOf(asked, true));
      if (permit.kind === 'refused') ending.abort();
    } catch {
      ending.abort(); // Nobody can say that it is still allowed.
    }
  }

  #endAll(): void {
    for (const { ending } of this.#live) ending.abort();
  }
}

const LABELLED_MAX = 1_024;

function questionOf({ method, scheme, host, port, path = '/', query }: EgressAsked, isRenewal: boolean) {
  const schemePort = scheme === 'http' ? 80 : 443;
  const authority = port === schemePort ? host : `${host}:${port}`;
  return { capability: CAPABILITY, input: { url: `${scheme ?? 'https'}://${authority}${path}${query}`, method }, isRenewal };
}

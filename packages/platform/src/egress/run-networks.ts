/**
 * The way out of sandboxes that a person starts with `warren run --secret`: the sandbox is in that person's process, its proxy in this one, so that no value ever is anywhere but
 * here. Whoever may open one may set and bind secrets, too: rules and the bindings of the secrets decide, no policy of agents does.
 *
 * Each has a process of the workspace: what it reached is in its events, as `egress.decided`, and its bytes are in its ledger.
 */
import type { Duplex } from 'node:stream';
import type { Kernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE, Fault, isFault, readHostPattern, type WorkspaceId } from '@warren/protocol';
import { type EgressOptions, openSandboxProxy } from '@warren/sandbox/egress';
import type { Secrets } from '../vault/secrets.ts';
import { ByteAccount } from './byte-account.ts';
import { DecisionLog } from './decision-log.ts';
import { COMMANDS, type PlacedSecret, placeSecrets } from './place-secrets.ts';

export type RunNetworkRequest = {
  /** As grants write them. */
  readonly hosts: readonly string[];
  readonly secrets: readonly PlacedSecret[];
};

export interface RunNetwork extends AsyncDisposable {
  /** Of its process. */
  readonly pid: number;
  /** That its commands have to trust, as PEM. */
  readonly certificate: string;
  /** Placeholders for its commands. */
  readonly env: Readonly<Record<string, string>>;
  /** Takes over a connection on which a command speaks HTTP to its proxy. */
  serve(connection: Duplex): void;
}

export interface RunNetworks {
  /**
   * The caller disposes it. Faults: `invalid_argument`, `not_found` (there is no such secret, or it is not bound to commands and one of the hosts; `details.fix` is the command that
   * binds it), `vault_locked`, `busy` (64 are open).
   */
  open(workspace: WorkspaceId, request: RunNetworkRequest): Promise<RunNetwork>;
  /** Ends those of a workspace, and opens none for it until disposed. */
  stop(workspace: WorkspaceId): Promise<Disposable>;
}

export type RunNetworksParts = {
  readonly kernel: Pick<Kernel, 'workspace'>;
  readonly secretsOf: (workspace: WorkspaceId) => Pick<Secrets, 'get' | 'isUsable' | 'use'>;
  /** What an operator opens, as `createEgress` takes it. */
  readonly egress: Pick<EgressOptions, 'privateNetworks' | 'tls'>;
};

const OPEN_MAX = 64;
const HOSTS_MAX = 256;
const SECRETS_MAX = 64;
/** What its processes are called: nobody's agent, and told apart by their pid. */
const NAME = 'warren-run';
const WEB_PORTS = [443, 80];

export class OpenRunNetworks implements RunNetworks, AsyncDisposable {
  readonly #parts: RunNetworksParts;
  readonly #open = new Map<RunNetwork, WorkspaceId>();
  readonly #stopped = new Set<WorkspaceId>();
  /** Places that are taken by what is not open yet. */
  #opening = 0;

  constructor(parts: RunNetworksParts) {
    this.#parts = parts;
  }

  async open(workspace: WorkspaceId, request: RunNetworkRequest): Promise<RunNetwork> {
    if (this.#open.size + this.#opening >= OPEN_MAX)
      throw new Fault('busy', `Cannot open a network for another run: ${OPEN_MAX} are open, which is the limit`);
    checkCounts(request);
    this.#opening += 1;
    try {
      for (const secret of request.secrets) await requireUsable(this.#parts.secretsOf(workspace), secret.name, request.hosts, workspace);
      const network = await openNetwork(this.#parts, workspace, request, () => this.#open.delete(network));
      this.#open.set(network, workspace);
      if (!this.#stopped.has(workspace)) return network;
      await network[Symbol.asyncDispose]();
      throw new Fault('not_found', `Cannot open a network in workspace ${workspace}: it is being deleted`);
    } finally {
      this.#opening -= 1;
    }
  }

  async stop(workspace: WorkspaceId): Promise<Disposable> {
    this.#stopped.add(workspace);
    await this.#end((each) => each === workspace);
    return { [Symbol.dispose]: () => void this.#stopped.delete(workspace) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end(() => true);
  }

  async #end(isMeant: (workspace: WorkspaceId) => boolean): Promise<void> {
    const meant = [...this.#open].filter(([, workspace]) => isMeant(workspace));
    await Promise.all(meant.map(([network]) => network[Symbol.asyncDispose]()));
  }
}

async function openNetwork(
  { kernel, secretsOf, egress }: RunNetworksParts,
  workspace: WorkspaceId,
  { hosts, secrets: placed }: RunNetworkRequest,
  onEnd: () => void,
): Promise<RunNetwork> {
  const { processes, events, ledger } = kernel.workspace(workspace);
  const { env, secrets } = placeSecrets(secretsOf(workspace), placed);
  // Of it `pid` is asked when there is a request, and by then there is one.
  let pid = 0;
  const log = new DecisionLog((payload) => events.append({ pid, kind: 'egress.decided', payload }));
  const bytes = new ByteAccount(
    (net) => ledger.record(pid, { net_bytes: net }),
    () => {},
  );
  const proxy = openSandboxProxy(
    {
      kind: 'egress',
      rules: hosts.map((host) => ({ host, inspect: true })),
      secrets,
      async decide(asked) {
        bytes.requireWhole();
        await log.allow(asked);
        return { kind: 'allowed' };
      },
      onEvent: (event) => (event.kind === 'denied' || event.kind === 'failed') && log.refuse(event),
      onTraffic: ({ bytesSent, bytesReceived }) => bytes.add(bytesSent + bytesReceived),
    },
    egress,
  );
  try {
    ({ pid } = await processes.create({
      name: NAME,
      template: NAME,
      agent: NAME,
      metadata: { hosts: [...hosts], secrets: placed.map(({ name }) => name) },
    }));
  } catch (error) {
    await proxy[Symbol.asyncDispose]();
    throw error;
  }
  let ending: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    onEnd();
    await proxy[Symbol.asyncDispose]();
    await Promise.all([log[Symbol.asyncDispose](), bytes[Symbol.asyncDispose]()]);
    await processes.end(pid, 'completed').catch((error: unknown) => {
      if (!isFault(error)) throw error; // Somebody else has ended it, or its workspace is gone.
    });
  };
  return {
    pid,
    certificate: proxy.certificate ?? '',
    env,
    serve: (connection) => proxy.serve(connection),
    async [Symbol.asyncDispose]() {
      ending ??= end();
      await ending;
    },
  };
}

function checkCounts({ hosts, secrets }: RunNetworkRequest): void {
  if (hosts.length < 1 || hosts.length > HOSTS_MAX) throw malformed('hosts', `${hosts.length} are named, 1 to ${HOSTS_MAX} are allowed`);
  if (secrets.length > SECRETS_MAX) throw malformed('secrets', `${secrets.length} are named, ${SECRETS_MAX} are allowed`);
  const taken = new Set<string>();
  for (const { variable } of secrets) {
    if (taken.has(variable)) throw malformed('secrets', `two are to stand in the variable ${variable}`);
    taken.add(variable);
  }
}

function malformed(field: string, why: string): Fault {
  return new Fault('invalid_argument', `Cannot open a network for the run: ${field}: ${why}`, { details: { field } });
}

/** Before anything is started: what could not be used in any request is said with what mends it. */
async function requireUsable(
  secrets: Pick<Secrets, 'get' | 'isUsable' | 'use'>,
  name: string,
  hosts: readonly string[],
  workspace: WorkspaceId,
): Promise<void> {
  const place = workspace === DEFAULT_WORKSPACE ? '' : ` --workspace ${workspace}`;
  const refuse = (why: string, command: string): Fault =>
    new Fault('not_found', `Cannot use secret ${JSON.stringify(name)} in this run: ${why}`, {
      details: { secret: name, fix: `warren secret ${command}${place}` },
    });
  const binding = `${name} --host ${hosts[0]} --capability ${COMMANDS}`;
  const found = await secrets.get(name).catch((error: unknown) => {
    if (isFault(error, 'not_found')) throw refuse('there is none of this name', `set ${binding}`);
    throw error;
  });
  if (found.revokedAt !== undefined) throw refuse('it is revoked', `restore ${name}`);
  for (const host of hosts) {
    const pattern = readHostPattern(host);
    if (pattern.scope !== 'host') {
      if (await secrets.isUsable(name, { kind: 'capability', capability: COMMANDS })) return;
      continue;
    }
    for (const port of pattern.port === undefined ? WEB_PORTS : [pattern.port]) {
      using value = await secrets.use(name, { kind: 'request', capability: COMMANDS, host: pattern.host, port });
      if (value !== undefined) return;
    }
  }
  throw refuse(`it is not bound to ${COMMANDS} and one of its hosts`, `bind ${binding}`);
}

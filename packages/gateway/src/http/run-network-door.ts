/**
 * `/run-network`: the way out of a sandbox that a person runs, whose proxy is here, with the secrets. A first WebSocket asks for one, in its first message, and is told the
 * placeholders and the certificate; it ends with that connection. Each connection of a command is a further WebSocket of the same caller, which names it: `/run-network?id=…`.
 */
import { randomBytes } from 'node:crypto';
import { MessageStream, type PlacedSecret, type RunNetwork } from '@warren/platform';
import { errorOfFault, Fault, isFault, type WorkspaceId } from '@warren/protocol';
import type { WebSocket } from 'ws';
import { askedSeat } from '../caller/asked-seat.ts';
import { authorize, requireAllowed } from '../caller/authorize.ts';
import { isSameCaller } from '../caller/caller-key.ts';
import { selectWorkspace } from '../caller/select-workspace.ts';
import { actorOf } from '../operations/audit-operation.ts';
import type { Identity } from './authenticate.ts';
import type { Gateway } from './gateway.ts';
import { type Carried, GOING_AWAY, HeldSocket, POLICY_VIOLATION, UNSUPPORTED_DATA } from './held-socket.ts';
import { LiveIdentity } from './live-identity.ts';
import type { OpenRunNetworks } from './open-run-networks.ts';

/** As setting a secret is: whoever may do that may use them. */
const USING = { scope: { kind: 'member' }, effect: 'once' } as const;
const NO_FAMILY = { isBelow: async () => false, isOf: async () => false };
const PLACES = ['header', 'query', 'body'] as const;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const NAME_LENGTH_MAX = 256;
const HOST_LENGTH_MAX = 300;
const LIST_MAX = 256;

type Asked = { readonly hosts: readonly string[]; readonly secrets: readonly PlacedSecret[] };

export class RunNetworkDoor {
  readonly #parts: Omit<OpenRunNetworks, 'open'>;
  readonly #open: OpenRunNetworks['open'];

  constructor({ open, ...parts }: OpenRunNetworks) {
    this.#parts = parts;
    this.#open = open;
  }

  /** Throws `permission_denied`, and `not_found` for an id that is none, or another's. */
  async enter(
    request: Parameters<typeof askedSeat>[0],
    query: URLSearchParams,
    identity: Identity,
    gateway: Gateway,
  ): Promise<(carried: Carried) => void> {
    requireAllowed(await authorize(identity.principal, USING, {}, NO_FAMILY), 'open a network for a run');
    const id = query.get('id');
    if (id === null) {
      const workspace = selectWorkspace(identity.principal, askedSeat(request).workspace);
      await gateway.kernel.workspaces.get(workspace);
      return (carried) => this.#hold(carried, workspace, identity, gateway);
    }
    const entered = this.#open.get(id);
    if (entered === undefined || !isSameCaller(entered.identity, identity))
      throw new Fault('not_found', 'Cannot reach a host for a run: its network is not open, or is of another caller');
    return ({ socket }) => entered.network.serve(new MessageStream(socket));
  }

  #hold(carried: Carried, workspace: WorkspaceId, identity: Identity, gateway: Gateway): void {
    const id = randomBytes(32).toString('base64url');
    const live = new LiveIdentity(identity, gateway.kernel.tokens);
    const { socket } = carried;
    let isAsked = false;
    const held = new HeldSocket(
      carried,
      {
        take: (data) => {
          if (isAsked) return held.close(UNSUPPORTED_DATA, 'a network is asked for once');
          isAsked = true;
          this.#begin(data, id, workspace, identity).then(
            (answer) => (held.isOpen ? socket.send(JSON.stringify(answer)) : this.#end(id)),
            (error: unknown) => this.#refuse(socket, held, error, gateway),
          );
        },
        onBeat: () => {
          live.isGood().then(
            (isGood) => isGood || held.close(POLICY_VIOLATION, 'the token is no longer good'),
            () => socket.terminate(),
          ); // The store is gone, and with it the secrets.
        },
        isBusy: () => false,
        onClose: () => this.#end(id),
      },
      gateway,
    );
  }

  async #begin(data: Buffer, id: string, workspace: WorkspaceId, identity: Identity): Promise<object> {
    const { platform, journal } = this.#parts;
    const { hosts, secrets } = readAsked(data);
    const input = { hosts: [...hosts], secrets: secrets.map(({ name, variable, places }) => ({ name, variable, places: [...places] })) };
    const details = identity.tokenId === undefined ? undefined : { token_id: identity.tokenId };
    const network = await journal.record(
      { workspace, actor: actorOf(identity, ''), action: 'run.network', input, details },
      () => platform.runNetworks.open(workspace, { hosts, secrets }),
      ({ pid }) => ({ result: { pid } }),
    );
    this.#open.set(id, { network, identity });
    return { id, pid: network.pid, certificate: network.certificate, env: network.env };
  }

  #refuse(socket: WebSocket, held: HeldSocket, error: unknown, { log }: Gateway): void {
    if (!isFault(error))
      log.error('A network for a run could not be opened', { stack: error instanceof Error ? error.stack : typeof error });
    const fault = isFault(error)
      ? error
      : new Fault('internal', 'Cannot open a network for the run: an error of ours, which is in the log');
    if (!held.isOpen) return;
    socket.send(JSON.stringify({ error: errorOfFault(fault) }));
    held.close(GOING_AWAY, 'refused');
  }

  #end(id: string): void {
    const entered = this.#open.get(id);
    this.#open.delete(id);
    if (entered !== undefined) void endQuietly(entered.network);
  }
}

/** What of it could not be recorded is said by the store, and nobody waits for it. */
async function endQuietly(network: RunNetwork): Promise<void> {
  try {
    await network[Symbol.asyncDispose]();
  } catch {
    // It is ended all the same.
  }
}

/** Throws `invalid_argument`. */
function readAsked(data: Buffer): Asked {
  let given: unknown;
  try {
    given = JSON.parse(data.toString('utf8'));
  } catch {
    throw malformed('the message', 'it is no JSON');
  }
  const { hosts, secrets, ...rest } = recordOf(given, 'the message');
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw malformed(JSON.stringify(unknown.slice(0, 80)), 'there is no such field');
  return {
    hosts: listOf(hosts, 'hosts').map((host) => textOf(host, 'hosts', HOST_LENGTH_MAX)),
    secrets: listOf(secrets, 'secrets').map((each) => {
      const { name, variable, places } = recordOf(each, 'secrets');
      const word = textOf(variable, 'secrets.variable', NAME_LENGTH_MAX);
      if (!VARIABLE.test(word)) throw malformed('secrets.variable', 'it is no name of a variable');
      return { name: textOf(name, 'secrets.name', NAME_LENGTH_MAX), variable: word, places: readPlaces(places) };
    }),
  };
}

function readPlaces(given: unknown): PlacedSecret['places'] {
  const places = listOf(given, 'secrets.places').map((each) => PLACES.find((place) => place === each));
  const known = places.filter((place) => place !== undefined);
  if (known.length > 0 && known.length === places.length) return [...new Set(known)];
  throw malformed('secrets.places', `they are some of ${PLACES.join(', ')}`);
}

function recordOf(given: unknown, field: string): Readonly<Record<string, unknown>> {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Readonly<Record<string, unknown>>; // Just looked at.
  throw malformed(field, 'it is no object');
}

function listOf(given: unknown, field: string): readonly unknown[] {
  if (Array.isArray(given) && given.length <= LIST_MAX) return given;
  throw malformed(field, `it is no list of at most ${LIST_MAX}`);
}

function textOf(given: unknown, field: string, lengthMax: number): string {
  if (typeof given === 'string' && given.length > 0 && given.length <= lengthMax) return given;
  throw malformed(field, `it is no text of 1 to ${lengthMax} characters`);
}

function malformed(field: string, why: string): Fault {
  return new Fault('invalid_argument', `Cannot open a network for the run: ${field}: ${why}`, { details: { field } });
}

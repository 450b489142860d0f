/**
 * `capabilities.*` and `session.*`: what agents of an earlier system call over JSON-RPC, in its names, shapes and numbers. They stand beside the contract
 * and are frozen. Each is translated into what Warren does: a call takes the gate like any other, as the process in whose seat the caller is.
 *
 * A session is a process of the agent; its id says which. An agent that has none gets one. That one ended is in the audit, as an operation would be.
 */
import type { Kernel, Offer, OperationJournal } from '@warren/kernel';
import { capabilityName, type Definition, type Platform } from '@warren/platform';
import { Fault, isFault, type JsonObject } from '@warren/protocol';
import type { Caller } from '../caller/caller.ts';
import type { Seat, Seats } from '../caller/seats.ts';
import { viaOf } from '../caller/via-of.ts';
import type { Method } from '../jsonrpc/calls.ts';
import { RpcFault } from '../jsonrpc/rpc-fault.ts';
import { auditOperation } from '../operations/audit-operation.ts';
import { withoutAbsent } from '../tools/tool-arguments.ts';
import { toItem, toItemDescription } from './capability-item.ts';
import { NUMBERS, toInvoked } from './invoke.ts';

export type CompatParts = {
  readonly kernel: Kernel;
  readonly platform: Platform;
  readonly seats: Seats;
  readonly journal: OperationJournal;
};

/** All there are. */
export const COMPAT_METHODS = [
  ...(['capabilities.list', 'capabilities.describe', 'capabilities.invoke', 'capabilities.call'] as const),
  ...(['session.create', 'session.end'] as const),
] as const;

type CompatMethods = Readonly<Record<(typeof COMPAT_METHODS)[number], Method<Caller>>>;

const SESSION_PREFIX = 'sess-';

export function createCompatMethods({ kernel, platform, seats, journal }: CompatParts): ReadonlyMap<string, Method<Caller>> {
  const { gate, capabilities } = platform;

  async function seatOf(caller: Caller): Promise<Seat> {
    try {
      return await seats.find(caller, caller);
    } catch (error) {
      if (!isFault(error, 'permission_denied')) throw error;
      throw new RpcFault(NUMBERS.authentication_failed, error.code, error.message, { error_type: 'NotAuthenticated' });
    }
  }

  async function offered(caller: Caller): Promise<readonly { readonly offer: Offer; readonly definition: Definition }[]> {
    const { workspace, pid } = await seatOf(caller);
    return (await gate.offered(workspace, pid)).flatMap((offer) => {
      const definition = capabilities.findDefinition(offer.name);
      return definition === undefined ? [] : [{ offer, definition }];
    });
  }

  async function invoke(params: JsonObject, caller: Caller): Promise<JsonObject> {
    const capability = capabilityName(textOf(params, 'capability'), () => capabilities.definitions().map(({ name }) => name));
    const given = objectOf(params, 'arguments') ?? objectOf(params, 'inputs') ?? {};
    const schema = capabilities.findDefinition(capability)?.inputSchema;
    const input = schema === undefined ? given : withoutAbsent(schema, given);
    const { workspace, pid } = await seatOf(caller);
    const request = { pid, capability, input, onAsk: 'return', via: viaOf(caller) } as const;
    return toInvoked(await gate.call(workspace, request, caller.gone()));
  }

  const methods: CompatMethods = {
    async 'capabilities.list'(params, caller) {
      const category = params['category'] ?? undefined;
      if (category !== undefined && typeof category !== 'string') throw wrong('category', 'is not text');
      const found = (await offered(caller)).filter(({ offer }) => category === undefined || offer.name.startsWith(`${category}.`));
      return { capabilities: found.map(({ definition, offer }) => toItem(definition, offer.tier)) };
    },

    async 'capabilities.describe'(params, caller) {
      const name = textOf(params, 'name');
      const found = (await offered(caller)).find(({ offer }) => offer.name === name);
      if (found !== undefined) return toItemDescription(found.definition, found.offer.tier);
      throw new Fault('not_found', `Cannot describe ${JSON.stringify(name.slice(0, 80))}: no such capability is offered to this agent`);
    },

    'capabilities.invoke': invoke,
    'capabilities.call': invoke,

    async 'session.create'(_params, caller) {
      const { workspace, pid } = await seatOf(caller);
      const { agent, createdAt } = await kernel.workspace(workspace).processes.get(pid);
      return { session_id: `${SESSION_PREFIX}${pid}`, agent, created_at: new Date(createdAt).toISOString() };
    },

    async 'session.end'(params, caller) {
      const sessionId = textOf(params, 'session_id');
      const { workspace, pid } = await seatOf(caller);
      if (sessionId !== `${SESSION_PREFIX}${pid}`) {
        throw new Fault('not_found', 'Cannot end that session: it is not the one of this caller');
      }
      const end = async (): Promise<JsonObject> => {
        await platform.agents.close(workspace, pid);
        return { session_id: sessionId, ended: true };
      };
      const agentOf = async (of: number): Promise<string> => (await kernel.workspace(workspace).processes.get(of)).agent ?? '';
      return await auditOperation(journal, 'session.end', { session_id: sessionId }, { caller, workspace }, end, agentOf);
    },
  };
  return new Map<string, Method<Caller>>(Object.entries(methods));
}

const WORD_CHARACTERS_MAX = 4_096;

function textOf(params: JsonObject, field: string): string {
  const value = params[field];
  if (typeof value === 'string' && value.length <= WORD_CHARACTERS_MAX) return value;
  throw wrong(field, value === undefined ? 'is missing' : 'is not text, or too long');
}

function objectOf(params: JsonObject, field: string): JsonObject | undefined {
  const value = params[field] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === 'object' && !Array.isArray(value)) return value as JsonObject; // Arrays and null are excluded.
  throw wrong(field, 'is not an object');
}

function wrong(field: string, why: string): Fault {
  return new Fault('invalid_argument', `Cannot read the request: "${field}" ${why}`, { details: { field } });
}

/** The methods that both eras have: their parameters are checked here, once, and the host is called. */
import type { JsonObject, JsonValue } from '@warren/protocol';
import { isObject } from '../../internal/is-object.ts';
import type { McpHost, Outcome, Page } from '../host.ts';
import { createHostRequest, type RequestContext } from './host-request.ts';
import { invalidParams } from './mcp-error.ts';
import type { McpLimits } from './mcp-limits.ts';

export type Method = {
  readonly run: (host: McpHost, params: JsonObject, context: RequestContext) => Promise<Outcome>;
  /** False where the host has nothing of the kind: the method is not there. */
  readonly isOffered: (host: McpHost) => boolean;
  /** How long the result may be used again, in the version that says so. */
  readonly freshMs?: number;
  /** The parameter that names what it is about, and stands in a header. */
  readonly subject?: 'name' | 'uri';
};

/** Who listens is told of changes; who does not looks again after this long. */
const LIST_FRESH_MS = 10_000;

const always = (): boolean => true;
const hasResources = ({ resources }: McpHost): boolean => resources !== undefined;
const hasPrompts = ({ prompts }: McpHost): boolean => prompts !== undefined;

export const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  [
    'tools/call',
    {
      isOffered: always,
      subject: 'name',
      run: (host, params, context) =>
        host.tools.call(readText(params, 'name', context.limits), readArguments(params, 'arguments'), createHostRequest(params, context)),
    },
  ],
  [
    'tools/list',
    { isOffered: always, freshMs: LIST_FRESH_MS, run: (host, params, context) => list('tools', params, context, host.tools.list) },
  ],
  [
    'resources/list',
    {
      isOffered: hasResources,
      freshMs: LIST_FRESH_MS,
      run: (host, params, context) => list('resources', params, context, host.resources?.list),
    },
  ],
  [
    'resources/templates/list',
    {
      isOffered: hasResources,
      freshMs: LIST_FRESH_MS,
      run: (host, params, context) => list('resourceTemplates', params, context, host.resources?.listTemplates),
    },
  ],
  [
    'resources/read',
    {
      isOffered: hasResources,
      freshMs: 0,
      subject: 'uri',
      run: (host, params, context) =>
        there(host.resources).read(readText(params, 'uri', context.limits), createHostRequest(params, context)),
    },
  ],
  [
    'prompts/list',
    {
      isOffered: hasPrompts,
      freshMs: LIST_FRESH_MS,
      run: (host, params, context) => list('prompts', params, context, host.prompts?.list),
    },
  ],
  [
    'prompts/get',
    {
      isOffered: hasPrompts,
      subject: 'name',
      run: (host, params, context) =>
        there(host.prompts).get(
          readText(params, 'name', context.limits),
          readArguments(params, 'arguments'),
          createHostRequest(params, context),
        ),
    },
  ],
  [
    'completion/complete',
    {
      isOffered: ({ complete }) => complete !== undefined,
      run: async (host, params, { signal }) => {
        if (!isObject(params['ref']) || !isObject(params['argument'])) throw invalidParams('Cannot complete: ref and argument are needed');
        return done(await there(host.complete)(params, signal));
      },
    },
  ],
]);

type List = (cursor: string | undefined, signal: AbortSignal) => Promise<Page>;

async function list(key: string, params: JsonObject, { signal, limits }: RequestContext, from: List | undefined): Promise<Outcome> {
  const cursor = params['cursor'] === undefined ? undefined : readText(params, 'cursor', limits);
  const { items, nextCursor } = await there(from)(cursor, signal);
  return done({ [key]: items, ...(nextCursor !== undefined && { nextCursor }) });
}

function done(result: JsonObject): Outcome {
  return { kind: 'done', result };
}

/** Only what is offered is called. */
function there<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new Error('A method was called that is not offered');
  return part;
}

export function readText(params: JsonObject, name: string, { textMax }: McpLimits): string {
  const value: JsonValue | undefined = params[name];
  if (typeof value !== 'string') throw invalidParams(`Cannot answer the request: ${name} is no text`);
  if (value.length > textMax) throw invalidParams(`Cannot answer the request: ${name} is longer than ${textMax} characters`);
  return value;
}

function readArguments(params: JsonObject, name: string): JsonObject {
  const value = params[name];
  if (value === undefined) return {};
  if (!isObject(value)) throw invalidParams(`Cannot answer the request: ${name} are no object`);
  return value;
}

/** What this server says it can do, and what a client has to say it can do before it is asked. */
import type { JsonObject } from '@warren/protocol';
import { isObject } from '../../internal/is-object.ts';
import type { McpHost, Question } from '../host.ts';
import { missingCapability } from './mcp-error.ts';

export function serverCapabilities({ logs, resources, prompts, complete }: McpHost): JsonObject {
  return {
    tools: { listChanged: true },
    ...(resources !== undefined && {
      resources: { ...(resources.canSubscribe && { subscribe: true }), ...(resources.tellsOfList && { listChanged: true }) },
    }),
    ...(prompts !== undefined && { prompts: { listChanged: true } }),
    ...(complete !== undefined && { completions: {} }),
    ...(logs && { logging: {} }),
  };
}

const NEEDED: ReadonlyMap<string, string> = new Map([
  ['elicitation/create', 'elicitation'],
  ['sampling/createMessage', 'sampling'],
  ['roots/list', 'roots'],
]);

/** Throws `McpError` when the client cannot answer one of them. */
export function requireAnswerable(questions: Readonly<Record<string, Question>>, client: JsonObject): void {
  for (const { method, params } of Object.values(questions)) {
    const needed = NEEDED.get(method);
    if (needed === undefined) throw new Error(`A host asks for ${method}, which no client answers`);
    if (!isObject(client[needed]))
      throw missingCapability(`Cannot go on: the client does not say that it can do ${needed}`, { [needed]: {} });
    if (params['mode'] === 'url' && !isObject(client[needed]['url'])) {
      throw missingCapability('Cannot go on: the client does not say that it can open an address', { elicitation: { url: {} } });
    }
  }
}

/** Whether it shows a form to whoever uses it. Before there were modes, elicitation was a form. */
export function showsForms({ elicitation }: JsonObject): boolean {
  return isObject(elicitation) && (isObject(elicitation['form']) || !isObject(elicitation['url']));
}

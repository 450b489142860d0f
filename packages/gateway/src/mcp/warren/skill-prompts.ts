/** Skills as prompts: their names and descriptions are the list, their instructions what one is. Each use is a call through the gate, as of anything else. */
import type { Answer } from '@warren/kernel';
import type { JsonObject } from '@warren/protocol';
import { invalidParams } from '../engine/mcp-error.ts';
import type { McpPrompts } from '../host.ts';

export type CallNow = (capability: string, input: JsonObject, signal: AbortSignal) => Promise<Answer>;

/** `isOffered`: whether whoever asks may call a capability at all. Who may not sees a list without any. */
export function createSkillPrompts(callNow: CallNow, isOffered: (capability: string) => Promise<boolean>): McpPrompts {
  return {
    async list(cursor, signal) {
      if (cursor !== undefined) throw invalidParams('Cannot list prompts: the cursor is none that was given here');
      if (!(await isOffered('skill.list'))) return { items: [] };
      const answer = await callNow('skill.list', {}, signal);
      const skills = answer.kind === 'done' ? answer.output['skills'] : undefined;
      const items = Array.isArray(skills) ? (skills as readonly { readonly name: string; readonly description: string }[]) : []; // As its definition says.
      return { items: items.map(({ name, description }) => ({ name, description })) };
    },

    async get(name, _, { signal }) {
      const shown = JSON.stringify(name.slice(0, 128));
      const answer = (await isOffered('skill.describe'))
        ? await callNow('skill.describe', { name: name.slice(0, 128) }, signal)
        : undefined;
      if (answer?.kind !== 'done') throw invalidParams(`Cannot get ${shown}: there is no such prompt`);
      const { description, instructions } = answer.output;
      const text = `Use the skill ${name}.\n\n${String(instructions)}`;
      return {
        kind: 'done',
        result: { description: String(description), messages: [{ role: 'user', content: { type: 'text', text } }] },
      };
    },
  };
}

/** A host that keeps a run in memory and can die at any of its doors: what it had written stays, as on a disk. */
import type { JsonObject } from '@warren/protocol';
import type { Model, ModelPart, ModelTool } from '../../model/model.ts';
import type { CallAnswer, RunHost, RunTerms, ToolCall, WaitFor } from '../run-host.ts';
import { DEFAULT_LIMITS, type RunStep, type StepBody } from '../run-step.ts';

export class Died extends Error {}

export type World = {
  readonly steps: RunStep[];
  /** What was carried out, by key. */
  readonly effects: Map<string, number>;
  readonly said: ModelPart[];
  now: number;
  waits: WaitFor | undefined;
  /** Doors that may still be passed before it dies. */
  lives: number;
};

export function makeWorld(message = 'do it'): World {
  const task: RunStep = { seq: 0, at: 1_000, kind: 'task', content: [{ type: 'text', text: message }] };
  return { steps: [task], effects: new Map(), said: [], now: 1_000, waits: undefined, lives: Number.POSITIVE_INFINITY };
}

export type HostParts = {
  readonly world: World;
  readonly model: Model;
  readonly terms?: Partial<RunTerms> | undefined;
  readonly tools?: readonly ModelTool[] | undefined;
  readonly answer?: ((call: ToolCall) => CallAnswer) | undefined;
};

export function openHost({ world, model, terms, tools = TOOLS, answer = done }: HostParts): RunHost {
  const door = async (): Promise<void> => {
    await Promise.resolve();
    world.lives -= 1;
    if (world.lives < 0) throw new Died('It died');
  };
  const write = (bodies: readonly StepBody[]): void => {
    for (const body of bodies) world.steps.push({ ...body, seq: world.steps.length, at: world.now });
  };
  return {
    run: 7,
    terms: { system: 'You work.', limits: DEFAULT_LIMITS, ...terms },
    model: {
      ...model,
      async *stream(request, signal) {
        for await (const part of model.stream(request, signal)) {
          await door();
          yield part;
        }
      },
    },
    now: () => world.now,
    async steps(from) {
      await door();
      return world.steps.slice(from);
    },
    async append(from, bodies) {
      await door();
      write(bodies);
      await door();
      return world.steps.slice(from);
    },
    async tools() {
      return tools;
    },
    async call(call) {
      await door();
      const given = answer(call);
      // As the gate does: under the same key nothing is carried out twice.
      if (given.kind === 'answered' && !world.effects.has(call.key)) world.effects.set(call.key, 1);
      await door();
      return given;
    },
    say: (part) => void world.said.push(part),
    async park(from, wait) {
      await door();
      if (world.steps.length > from) return false;
      world.waits = wait;
      return true;
    },
    async end(from, outcome, result) {
      await door();
      if (world.steps.length > from && outcome !== 'stopped') return false;
      write([{ kind: 'end', outcome, result }]);
      await door();
      return true;
    },
  };
}

export const TOOLS: readonly ModelTool[] = [{ name: 'read', description: 'Reads', inputSchema: { type: 'object' } }];

export function done({ key, input }: { readonly key: string; readonly input: JsonObject }): CallAnswer {
  return { kind: 'answered', outcome: 'done', content: [{ type: 'text', text: `${key} ${JSON.stringify(input)}` }] };
}

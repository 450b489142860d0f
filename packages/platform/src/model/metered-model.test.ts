import { type Kernel, openKernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE, isFault } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { complete } from './complete.ts';
import { meteredModel } from './metered-model.ts';
import type { Model, ModelPart, ModelRequest } from './model.ts';
import { scriptedModel } from './scripted/scripted-model.ts';
import type { Script } from './scripted/scripted-turn.ts';

let directory: TemporaryDirectory;
let kernel: Kernel;
beforeAll(async () => {
  directory = await TemporaryDirectory.create();
  kernel = await openKernel({ directory: directory.path });
});
afterAll(async () => {
  await kernel.close();
  await directory[Symbol.asyncDispose]();
});

const never = new AbortController().signal;
const hello: ModelRequest = { messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }] };
const costOf = (_: string, { input, output }: { input: number; output: number }): number => 2 * input + 10 * output;

async function processWith(budgets: Readonly<Record<string, number>>, models: readonly string[] = ['*']): Promise<number> {
  const mine = kernel.workspace(DEFAULT_WORKSPACE);
  const { pid } = await mine.processes.create({ name: 'ada', template: 'agent' });
  await mine.grants.create(pid, { models });
  if (Object.keys(budgets).length > 0) await mine.ledger.create({ kind: 'process', pid }, budgets);
  return pid;
}

function metered(pid: number, model: Model | Script): Model {
  const inner = typeof model === 'object' && 'stream' in model ? model : scriptedModel(model);
  return meteredModel(inner, { kernel: kernel.workspace(DEFAULT_WORKSPACE), pid, costOf });
}

async function entriesOf(pid: number): Promise<Readonly<Record<string, number>>> {
  const entries = await kernel.workspace(DEFAULT_WORKSPACE).ledger.list({ kind: 'process', pid });
  for (const { reserved } of entries) expect(reserved).toBe(0);
  return Object.fromEntries(entries.map(({ dim, used }) => [dim, used]));
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: unknown) => (isFault(error) ? error.code : error),
  );

describe('a metered model', () => {
  it('charges what the provider says, to the last token', async () => {
    const pid = await processWith({ tokens: 10_000, cost_micro: 50_000 });
    const usage = { inputTokens: 1_000, cacheReadTokens: 200, cacheWriteTokens: 30, outputTokens: 40 };
    await complete(metered(pid, [{ text: 'hi', usage, costMicros: 777 }]), hello, never);
    expect(await entriesOf(pid)).toEqual({ tokens: 1_270, cost_micro: 777 });
  });

  it('charges a long answer while it streams, and not twice', async () => {
    const pid = await processWith({ tokens: 1_000_000, cost_micro: 100_000_000 });
    const seen: number[] = [];
    const model = metered(pid, [{ text: 'word '.repeat(9_000), usage: { inputTokens: 10, outputTokens: 20_000 }, costMicros: 300_000 }]);
    for await (const part of model.stream(hello, never)) {
      if (part.type !== 'text') continue;
      const [tokens] = await kernel.workspace(DEFAULT_WORKSPACE).ledger.list({ kind: 'process', pid });
      seen.push(tokens?.used ?? 0);
    }
    expect(seen.filter((used, at) => used > (seen[at - 1] ?? 0)).length).toBeGreaterThan(5);
    expect(await entriesOf(pid)).toEqual({ tokens: 20_010, cost_micro: 300_000 });
  });

  it('asks nothing when there is no room', async () => {
    for (const budgets of [{ tokens: 1 }, { tokens: 100 }, { cost_micro: 100 }]) {
      const pid = await processWith(budgets);
      let asked = 0;
      const model = metered(pid, () => {
        asked += 1;
        return { text: 'x' };
      });
      expect(await codeOf(complete(model, hello, never))).toBe('quota_exceeded');
      expect(asked).toBe(0);
    }
  });

  it('cuts off whoever spends more than there is, and keeps what it cost', async () => {
    const pid = await processWith({ tokens: 2_000 });
    const parts: ModelPart[] = [];
    const model = metered(pid, [{ text: 'word '.repeat(60_000) }]);
    expect(await codeOf(complete(model, hello, never, (part) => parts.push(part)))).toBe('quota_exceeded');
    expect(parts.some(({ type }) => type === 'finish')).toBe(false);
    const { tokens = 0 } = await entriesOf(pid);
    expect(tokens).toBeGreaterThanOrEqual(2_000);
    expect(tokens).toBeLessThan(8_000);
  });

  it('charges what was said before it was cut or cancelled, and nothing of what was never begun', async () => {
    const pid = await processWith({ tokens: 100_000 });
    expect(await codeOf(complete(metered(pid, [{ text: 'word '.repeat(2_000), fault: 'cut' }]), hello, never))).toBe('unavailable');
    const { tokens: cut = 0 } = await entriesOf(pid);
    expect(cut).toBeGreaterThan(1_000);
    for await (const part of metered(pid, [{ text: 'word '.repeat(2_000) }]).stream(hello, never)) if (part.type === 'text') break;
    const { tokens: left = 0 } = await entriesOf(pid);
    expect(left).toBeGreaterThan(cut);
    const silent: Model = { ...scriptedModel([]), stream: () => failing() };
    await codeOf(complete(metered(pid, silent), hello, never));
    expect(await entriesOf(pid)).toEqual({ tokens: left });
  });

  it('is for those who hold a grant, also where another model takes over', async () => {
    const pid = await processWith({ tokens: 100_000 }, ['scripted/*']);
    expect(await codeOf(complete(metered(pid, scriptedModel([{ text: 'x' }], { name: 'dear/one' })), hello, never))).toBe(
      'permission_denied',
    );
    const model: Model = { ...scriptedModel([]), stream: () => takenOver() };
    const parts: ModelPart[] = [];
    expect(await codeOf(complete(metered(pid, model), hello, never, (part) => parts.push(part)))).toBe('permission_denied');
    expect(parts).toEqual([]);
  });
});

// biome-ignore lint/correctness/useYield: Nothing comes of it.
async function* failing(): AsyncGenerator<ModelPart> {
  throw new Error('nobody is there');
}

async function* takenOver(): AsyncGenerator<ModelPart> {
  yield { type: 'start', model: 'dear/one' };
  yield { type: 'text', text: 'what nobody pays for' };
}

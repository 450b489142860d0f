import type { Policy, PolicyRequest, Rule } from '@warren/kernel';
import { createPolicy } from '@warren/kernel';
import { Cedar } from '../comparators/cedar.ts';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { interleave, type Subject } from '../harness/interleave.ts';
import { atLeast, atMost, measured, type Row, ratio } from '../harness/row.ts';

const MANY = 10_000;
const FEW = 100;
/** Decisions timed together: one is shorter than a clock can tell. */
const BATCH = 64;
const REQUESTS = 4_096;

/** Rules of one kind, by number, with what they mean in Cedar's language. */
type Shape = {
  readonly name: string;
  readonly rule: (number: number) => Rule;
  readonly cedar: (number: number) => string;
  /** A request that rule `number` allows, or none does. */
  readonly request: (number: number, isAllowed: boolean) => Pick<PolicyRequest, 'capability' | 'agent'> & { readonly path: string };
};

const SHAPES: readonly Shape[] = [
  {
    name: 'one capability, different directories',
    rule: (number) => ({
      capability: ['filesystem.write'],
      when: { path: { under: [`/workspace/project-${number}`] } },
      tier: 'autonomous',
    }),
    cedar: (number) => permit('', 'filesystem.write', `/workspace/project-${number}`),
    request: (number, isAllowed) => ({
      capability: 'filesystem.write',
      agent: 'builder',
      path: `/workspace/project-${number}${isAllowed ? '' : 'x'}/src/main.ts`,
    }),
  },
  {
    name: 'one capability, different agents',
    rule: (number) => ({ capability: ['filesystem.write'], agent: [`agent-${number}`], tier: 'autonomous' }),
    cedar: (number) => permit(`agent-${number}`, 'filesystem.write', ''),
    request: (number, isAllowed) => ({
      capability: 'filesystem.write',
      agent: `agent-${number}${isAllowed ? '' : 'x'}`,
      path: '/workspace/src/main.ts',
    }),
  },
  {
    name: 'spread over capabilities, agents and directories',
    rule: (number) => ({
      capability: [`service-${number % 50}.call`],
      agent: [`agent-${number % 20}`],
      when: { path: { under: [`/workspace/project-${number}`] } },
      tier: 'autonomous',
    }),
    cedar: (number) => permit(`agent-${number % 20}`, `service-${number % 50}.call`, `/workspace/project-${number}`),
    request: (number, isAllowed) => ({
      capability: `service-${number % 50}.call`,
      agent: `agent-${number % 20}`,
      path: `/workspace/project-${number}${isAllowed ? '' : 'x'}/src/main.ts`,
    }),
  },
];

export const policy: Benchmark = {
  name: 'policy',
  title: 'Decisions of a policy',
  method:
    `${MANY} rules of one file, in three shapes, and ${FEW} of the same shape; requests that a random rule allows, and as many that none does. Against the same rules in Cedar's ` +
    `own package (Wasm), parsed once, which gives the same answers. A sample is the mean of ${BATCH} decisions, of Cedar of one. They take turns.`,
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const shape of SHAPES) rows.push(...(await measureShape(shape, context)));
  return rows;
}

async function measureShape(shape: Shape, context: Context): Promise<readonly Row[]> {
  const many = decider(shape, MANY);
  const few = decider(shape, FEW);
  const other = new Cedar(
    shape.name,
    Array.from({ length: MANY }, (_, number) => shape.cedar(number)),
  );
  const allows = (index: number): boolean => {
    const { capability, agent, path } = question(shape, MANY, index);
    return other.allows({ agent, capability, context: { path } });
  };
  for (let index = 0; index < 20; index++)
    if (allows(index) !== many.allows(index)) throw new Error(`Cedar answers request ${index} otherwise`);
  const ours = subject('many', BATCH, many.allows);
  const oursFew = subject('few', BATCH, few.allows);
  const cedar = subject('cedar', 1, allows);
  const quick = await interleave([ours, oursFew], context.isQuick ? 500 : 5_000, context, { warmups: 500, restMs: 0 });
  const slow = await interleave([cedar], context.isQuick ? 3 : 30, context, { warmups: 1, restMs: 0 });
  return [
    measured(shape.name, 'µs', quick(ours), {
      bound: atMost(5),
      ratio: ratio(`${MANY} rules ÷ ${FEW}`, quick(ours), quick(oursFew), atMost(2)),
    }),
    measured(` with ${FEW} rules`, 'µs', quick(oursFew)),
    measured(' Cedar', 'µs', slow(cedar), { ratio: ratio('this ÷ Warren', slow(cedar), quick(ours), atLeast(100)) }),
  ];
}

function subject(name: string, batch: number, decide: (index: number) => boolean): Subject {
  let next = 0;
  return {
    name,
    turn: async () => {
      const startedAt = performance.now();
      for (let count = 0; count < batch; count++) decide(next++ % REQUESTS);
      return ((performance.now() - startedAt) * 1_000) / batch;
    },
  };
}

function decider(shape: Shape, count: number): { readonly allows: (index: number) => boolean } {
  const rules = Array.from({ length: count }, (_, index) => ({ rule: shape.rule(index), line: index + 1 }));
  const compiled: Policy = createPolicy([{ layer: 'system', file: 'system.yaml', of: undefined, defaultTier: 'blocked', rules }], {
    version: '',
  });
  const requests = Array.from({ length: REQUESTS }, (_, index) => question(shape, count, index));
  const read = () => ({ amount: 0, oldestAt: undefined });
  return { allows: (index) => compiled.decide(requests[index] as PolicyRequest, read).tier === 'autonomous' }; // Within the list.
}

function question(shape: Shape, count: number, index: number): PolicyRequest & { readonly path: string } {
  const { capability, agent, path } = shape.request((index * 7_919) % count, index % 2 === 0);
  return {
    capability,
    agent,
    path,
    tags: ['write'],
    input: { path },
    facts: { paths: [{ path, mode: 'rw' }], hosts: [], commands: [], contentBytes: undefined, estimate: {} },
    taint: [],
    at: 0,
    defaultTier: 'blocked',
  };
}

function permit(agent: string, capability: string, directory: string): string {
  const principal = agent === '' ? 'principal' : `principal == Agent::"${agent}"`;
  const when = directory === '' ? '' : ` when { context.path == "${directory}" || context.path like "${directory}/*" }`;
  return `permit(${principal}, action == Action::"${capability}", resource)${when};`;
}

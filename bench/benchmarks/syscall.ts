import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Capability,
  createPolicy,
  type Gate,
  NO_FACTS,
  openAudit,
  openAuditIndex,
  type Policy,
  type PolicyFile,
  type WorkspaceKernel,
} from '@warren/kernel';
import { createClock } from '@warren/kernel/testing';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { OneFlushEach } from '../comparators/one-flush-each.ts';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { interleave } from '../harness/interleave.ts';
import { ratePerSecond } from '../harness/rate.ts';
import { atLeast, atMost, measured, type Row, ratio } from '../harness/row.ts';
import { openTemporaryKernel } from '../harness/temporary-kernel.ts';
import { timed } from '../harness/timed.ts';

const CALLERS = 64;
const RULES = 1_000;

export const syscall: Benchmark = {
  name: 'syscall',
  title: 'Syscalls of a capability that does nothing',
  method:
    `${CALLERS} processes of eight agents, each with grants and budgets of its own, make their next call when the last is answered; every call is decided by ${RULES.toLocaleString('en')} rules, ` +
    'charged to three accounts, recorded in the journal before and after, and in the audit. Processor time is that of the whole process, all threads. Then one caller alone, ' +
    'taking turns with a flush of SQLite on the same disk.',
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  await using opened = await openTemporaryKernel();
  const directory = join(opened.directory, 'audit');
  mkdirSync(directory, { mode: 0o700 });
  await using audit = await openAudit({
    directory,
    keyFile: join(opened.directory, 'audit-key'),
    clock: createClock(),
    openIndex: openAuditIndex,
  });
  await using gate = await opened.kernel.openGate({ capabilities: TABLE, policyOf: policyOf(), audit });
  const pids = await Promise.all(Array.from({ length: CALLERS }, (_, caller) => start(opened.mine, caller)));
  await opened.mine.ledger.create({ kind: 'workspace' }, { tool_calls: 1e12, cost_micro: 1e12 });
  using other = new OneFlushEach();
  const count = context.isQuick ? 2_000 : 20_000;
  const processorUs: number[] = [];
  const wide = {
    name: 'wide',
    async turn() {
      const before = process.cpuUsage();
      const rate = await ratePerSecond(count, CALLERS, (index, caller) => call(gate, pids[caller] ?? 0, index));
      const { user, system } = process.cpuUsage(before);
      processorUs.push((user + system) / count);
      return rate;
    },
  };
  const warmups = 2;
  const rates = await interleave([wide], context.isQuick ? 3 : 10, context, { warmups });
  const alone = { name: 'alone', turn: () => timed(() => call(gate, pids[0] ?? 0, 0)) };
  const flush = { name: 'flush', turn: () => timed(async () => other.append({ index: 0 })) };
  const times = await interleave([alone, flush], context.isQuick ? 50 : 1_000, context, { restMs: 2 });
  return [
    measured(`${CALLERS} callers`, '/s', rates(wide), { bound: atLeast(8_000) }),
    measured(
      'processor time of one call',
      'ms',
      processorUs.slice(warmups).map((us) => us / 1_000),
      { bound: atMost(0.2) },
    ),
    measured('one caller', 'ms', times(alone)),
    measured('one flush', 'ms', times(flush), { ratio: ratio('one caller ÷ this', times(alone), times(flush)) }),
    measured('one caller beyond two flushes', 'ms', beyondTwo(times(alone), times(flush)), { bound: atMost(0.3) }),
  ];
}

const NOOP: Capability = {
  name: 'bench.noop',
  version: '1.0.0',
  effect: 'read',
  defaultTier: 'approval_required',
  tags: ['read'],
  deadlineMs: { default: 60_000, max: 60_000 },
  concurrencyMax: 64,
  taints: [],
  parse: (input) => ({ kind: 'valid', input }),
  facts: ({ path }) => ({ ...NO_FACTS, paths: [{ path: String(path), mode: 'r' }] }),
  redact: (input) => input,
  redactWhole: (input) => input,
  act: async () => ({ kind: 'done', output: { ok: true } }),
};

const TABLE = { revision: 1, find: (name: string) => (name === NOOP.name ? NOOP : undefined), list: () => [NOOP] };

function policyOf(): () => Policy {
  const rules: PolicyFile['rules'] = Array.from({ length: RULES - 1 }, (_, index) => ({
    rule: { capability: [`category${index % 50}.operation${index}`], tier: 'blocked', when: { path: { under: [`/p${index}`] } } },
    line: index + 1,
  }));
  const last: PolicyFile['rules'][number] = { rule: { capability: ['bench.*'], tier: 'autonomous' }, line: RULES };
  const file: PolicyFile = {
    layer: 'workspace',
    file: 'workspace.yaml',
    of: DEFAULT_WORKSPACE,
    defaultTier: undefined,
    rules: [...rules, last],
  };
  const policy = createPolicy([file], { version: 'bench', workspace: DEFAULT_WORKSPACE });
  return () => policy;
}

async function start(mine: WorkspaceKernel, caller: number): Promise<number> {
  const { pid } = await mine.processes.create({ name: 'bench', template: 'bench', agent: `agent${caller % 8}` });
  await mine.grants.create(pid, {
    tools: ['bench.*', 'filesystem.*'],
    paths: [{ prefix: '/workspace', mode: 'rw' }],
    hosts: ['example.com'],
  });
  await mine.ledger.create({ kind: 'process', pid }, { tool_calls: 1e12, wall_s: 1e12 });
  return pid;
}

async function call(gate: Gate, pid: number, index: number): Promise<void> {
  const answer = await gate.call(DEFAULT_WORKSPACE, { pid, capability: NOOP.name, input: { path: `/workspace/file${index}`, index } });
  if (answer.kind !== 'done') throw new Error(`The call is ${answer.kind}`);
}

/** Of each call against the median flush. */
function beyondTwo(calls: readonly number[], flushes: readonly number[]): readonly number[] {
  const median = flushes.toSorted((one, other) => one - other)[flushes.length >> 1] ?? 0;
  return calls.map((ms) => ms - 2 * median);
}

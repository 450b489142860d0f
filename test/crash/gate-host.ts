/**
 * A gate that is killed: makes calls of one process whose implementation appends a line to a file, and says which were answered. Every start recovers what the last
 * left, and makes the calls that have a key and no answer again.
 */
import { openSync, writeSync } from 'node:fs';
import { type Capability, NO_FACTS, openAudit, openAuditIndex, openKernel, type Policy } from '@warren/kernel';
import { createClock } from '@warren/kernel/testing';
import { DEFAULT_WORKSPACE } from '@warren/protocol';

const [directory = '', life = '0'] = process.argv.slice(2);

const effects = openSync(`${directory}/effects`, 'a');
const answers = openSync(`${directory}/answers`, 'a');

function define(name: string, effect: Capability['effect']): Capability {
  return {
    name,
    version: '1',
    effect,
    defaultTier: 'autonomous',
    tags: [],
    deadlineMs: { default: 60_000, max: 60_000 },
    concurrencyMax: 64,
    taints: [],
    parse: (input) => ({ kind: 'valid', input }),
    facts: () => NO_FACTS,
    redact: (input) => input,
    async act({ input }) {
      writeSync(effects, `${name} ${String(input['id'])}\n`);
      await new Promise(setImmediate);
      return { kind: 'done', output: { id: input['id'] ?? null } };
    },
  };
}

const table = new Map(
  [define('file.once', 'once'), define('file.same', 'idempotent'), define('file.ask', 'once')].map((each) => [each.name, each]),
);
const policy: Policy = {
  version: 'v',
  decide: ({ capability }) => ({
    tier: capability === 'file.ask' ? 'approval_required' : 'autonomous',
    rule: undefined,
    opinions: [],
    exception: undefined,
    exceeded: undefined,
    counters: [],
    ask: { quorum: 1, approvers: [], expiresMs: 3_600_000, escalate: undefined },
  }),
  outlook: () => ({ mildest: 'autonomous', strictest: 'approval_required' }),
};

const kernel = await openKernel({ directory: `${directory}/state` });
const mine = kernel.workspace(DEFAULT_WORKSPACE);
const audit = await openAudit({
  directory: `${directory}/audit`,
  keyFile: `${directory}/key`,
  clock: createClock(),
  openIndex: openAuditIndex,
});
const gate = await kernel.openGate({
  capabilities: { revision: 1, find: (name) => table.get(name), list: () => [...table.values()] },
  policyOf: () => policy,
  audit,
});
await gate.begin();
const pid = await ready();
process.stdout.write('ready\n');

await Promise.all(Array.from({ length: 8 }, (_, worker) => work(worker)));

async function ready(): Promise<number> {
  const { processes } = await mine.processes.list();
  const known = processes.find(({ state }) => state === 'READY');
  const { pid } = known ?? (await mine.processes.create({ name: 'a', template: 't', agent: 'ada' }));
  if ((await mine.grants.find(pid)) === undefined) await mine.grants.create(pid, { tools: ['*'] });
  return pid;
}

/** The calls of the last life first, with the same keys: what is once stays once. */
async function work(worker: number): Promise<void> {
  const lives = [Number(life) - 1, Number(life)];
  for (const each of lives.filter((one) => one >= 0)) {
    for (let index = 0; each === Number(life) || index < 50; index++) {
      const id = `${each}-${worker}-${index}`;
      const capability = ['file.once', 'file.same', 'file.ask'][index % 3] ?? '';
      const answer = await gate.call(DEFAULT_WORKSPACE, { pid, capability, input: { id }, idempotencyKey: id });
      if (answer.kind === 'pending') {
        await mine.approvals.approve(answer.approvalId, { name: 'ann', groups: [], isOperator: true }).catch(() => {}); // Approved in the last life.
        const later = await gate.result(DEFAULT_WORKSPACE, answer.callId, { waitMs: 60_000 });
        say(id, later.callId, later.kind === 'failed' ? later.error.type : later.kind);
      } else say(id, answer.callId, answer.kind === 'failed' ? answer.error.type : answer.kind);
    }
  }
}

function say(id: string, callId: string, outcome: string): void {
  writeSync(answers, `${id} ${callId} ${outcome}\n`);
}

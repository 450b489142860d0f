/**
 * A gate that is killed: makes calls of one process whose implementation appends a line to a file, and says which were answered. People approve some, some with
 * other arguments, some by two votes, and reject others. Every start recovers what the last left, every other one with the process suspended until the gate
 * has begun, and makes the calls of the last life again, with their keys and first arguments.
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
    redactWhole: (input) => input,
    async act({ input }) {
      writeSync(effects, `${name}${name === 'file.edit' && input['isEdited'] !== true ? '.unapproved' : ''} ${String(input['id'])}\n`);
      await new Promise(setImmediate);
      return { kind: 'done', output: { id: input['id'] ?? null } };
    },
  };
}

const table = new Map(
  [
    define('file.once', 'once'),
    define('file.same', 'idempotent'),
    define('file.ask', 'once'),
    define('file.edit', 'idempotent'),
    define('file.two', 'once'),
    define('file.deny', 'once'),
  ].map((each) => [each.name, each]),
);
const policy: Policy = {
  version: 'v',
  decide: ({ capability }) => ({
    tier: capability === 'file.once' || capability === 'file.same' ? 'autonomous' : 'approval_required',
    rule: undefined,
    opinions: [],
    exception: undefined,
    exceeded: undefined,
    counters: [],
    ask: { quorum: capability === 'file.two' ? 2 : 1, approvers: [], expiresMs: 3_600_000, escalate: undefined },
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
const pid = await ready();
const isSuspended = Number(life) % 2 === 1;
if (isSuspended) await suspend();
const gate = await kernel.openGate({
  capabilities: { revision: 1, find: (name) => table.get(name), list: () => [...table.values()] },
  policyOf: () => policy,
  audit,
});
await gate.begin();
if (isSuspended) await mine.processes.transition(pid, 'READY');
process.stdout.write('ready\n');

await Promise.all(Array.from({ length: 8 }, (_, worker) => work(worker)));

async function ready(): Promise<number> {
  const { processes } = await mine.processes.list();
  const known = processes.find(({ state }) => state !== 'DEAD');
  if (known !== undefined && known.state !== 'READY') await mine.processes.transition(known.pid, 'READY'); // The last life died before it went on.
  const { pid } = known ?? (await mine.processes.create({ name: 'a', template: 't', agent: 'ada' }));
  if ((await mine.grants.find(pid)) === undefined) await mine.grants.create(pid, { tools: ['*'] });
  return pid;
}

async function suspend(): Promise<void> {
  await mine.processes.transition(pid, 'RUNNING');
  await mine.processes.transition(pid, 'SUSPENDED');
}

/** What was decided in the last life is decided. */
async function decide(capability: string, id: string, approvalId: string): Promise<void> {
  const [ann, bob] = ['ann', 'bob'].map((name) => ({ name, groups: [], isOperator: true }));
  if (ann === undefined || bob === undefined) throw new Error('Nobody is there');
  const { approvals } = mine;
  if (capability === 'file.deny') await approvals.reject(approvalId, ann, { reason: 'no' }).catch(() => {});
  else await approvals.approve(approvalId, ann, capability === 'file.edit' ? { input: { id, isEdited: true } } : {}).catch(() => {});
  if (capability === 'file.two') await approvals.approve(approvalId, bob).catch(() => {});
}

/** The calls of the last life first, with the same keys: what is once stays once. */
async function work(worker: number): Promise<void> {
  const lives = [Number(life) - 1, Number(life)];
  for (const each of lives.filter((one) => one >= 0)) {
    for (let index = 0; each === Number(life) || index < 50; index++) {
      const id = `${each}-${worker}-${index}`;
      const capability = [...table.keys()][(worker + index) % table.size] ?? '';
      const answer = await gate.call(DEFAULT_WORKSPACE, { pid, capability, input: { id }, idempotencyKey: id });
      if (answer.kind === 'pending') {
        await decide(capability, id, answer.approvalId);
        const later = await gate.result(DEFAULT_WORKSPACE, answer.callId, { waitMs: 60_000 });
        say(id, later.callId, later.kind === 'failed' ? later.error.type : later.kind);
      } else say(id, answer.callId, answer.kind === 'failed' ? answer.error.type : answer.kind);
    }
  }
}

function say(id: string, callId: string, outcome: string): void {
  writeSync(answers, `${id} ${callId} ${outcome}\n`);
}

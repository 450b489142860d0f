/**
 * Runs that are killed: works off a few as a runner does, each by what its journal says is next, and says what was acknowledged. They start others and wait for them,
 * wait for times and get messages; some are stopped. A life takes back what the last one held, which nobody has any more.
 */
import { openSync, writeSync } from 'node:fs';
import { openKernel, type RunLease, type RunSummary } from '@warren/kernel';
import { DEFAULT_WORKSPACE, isFault } from '@warren/protocol';

const [directory = '', life = '0', isLast = ''] = process.argv.slice(2);
const RUNS = 12;
const TURNS = 8;
const HOUR_MS = 3_600_000;

const acknowledged = openSync(`${directory}/acknowledged`, 'a');
const say = (...words: readonly unknown[]) => void writeSync(acknowledged, `${words.join(' ')}\n`);

/** Ahead by some hours more in each life. */
let aheadMs = Number(life) * 10 * HOUR_MS;
const kernel = await openKernel({ directory: `${directory}/state`, clock: { now: () => Date.now() + aheadMs } });
const { processes, queue, runs } = kernel.workspace(DEFAULT_WORKSPACE);
for (const _ of ['leases of the last life run out', 'pauses before the next attempt are over']) {
  aheadMs += 2 * HOUR_MS;
  await kernel.scheduler.tick();
}
for (let there = (await runs.list({}, { limit: 1_000 })).filter(({ parent }) => parent === undefined).length; there < RUNS; there++)
  await begin(undefined);

/** No text is written twice. */
let nonce = 0;
let worked = 0;
await Promise.all([work(), talk()]);
await kernel.close();
process.stdout.write('done\n');

async function begin(parentPid: number | undefined): Promise<number> {
  const { pid } = await processes.create({ name: 'runner', template: 't', agent: 'ada', parentPid });
  const { id } = await runs.create({ pid, task: { of: 'task' } });
  say('created', id);
  return id;
}

/** Until nothing is left. */
async function work(): Promise<void> {
  while (await isLeft()) {
    const claims = await queue.claim({ worker: `life-${life}`, areRuns: true, limit: 100, leaseMs: HOUR_MS });
    await Promise.all(claims.map(({ entry, fence }) => workOff(Number(entry.payload['run']), { entry: entry.id, fence })));
    if (++worked === 1) process.stdout.write('ready\n');
    if (claims.length === 0) await new Promise((resolve) => setTimeout(resolve, 5)); // Some wait for a time.
  }
}

/** People: a message now and then, and one run in five is not needed after all. */
async function talk(): Promise<void> {
  while (await isLeft()) {
    const live = (await runs.list({}, { limit: 1_000 })).filter(({ endedAt, parent }) => endedAt === undefined && parent === undefined);
    for (const { id, steps } of live) {
      await tolerate(async () => {
        const text = `${life}-${nonce++}`;
        if (steps < 40) say('step', id, await runs.post(id, { text }), 'message', text);
        if (id % 5 === 0 && steps > 6) {
          await runs.stop(id, 'not needed');
          say('stopped', id);
        }
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 10)); // They take their time.
  }
}

async function isLeft(): Promise<boolean> {
  return (await runs.list({}, { limit: 1_000 })).some(({ endedAt }) => endedAt === undefined);
}

async function workOff(id: number, lease: RunLease): Promise<void> {
  await tolerate(async () => {
    for (;;) {
      const { pendingSignal } = await queue.heartbeat(lease.entry, lease.fence, HOUR_MS);
      if (pendingSignal === 'terminate') return await end(id, lease, 'stopped');
      const steps = await runs.steps(id);
      const turns = steps.filter(({ kind }) => kind === 'model').length;
      const hasAnswer = steps.some(({ kind }) => kind === 'call');
      const run = await runs.get(id);
      const after = steps.at(-1)?.seq ?? 0;
      if (turns === 3 && run.parent === undefined && !hasAnswer) {
        const child = await childOf(run);
        if (child.endedAt === undefined) return void (await runs.park(id, lease, { for: { child: child.id }, after, runs: [child.id] }));
        await append(id, lease, 'call');
      } else if (turns === 5 && isLast === '' && after % 3 === 0)
        return void (await runs.park(id, lease, { for: { time: 20 }, after, until: Date.now() + aheadMs + 20 }));
      else if (turns >= TURNS) return await end(id, lease, 'completed');
      await append(id, lease, 'model');
    }
  });
}

/** The one it has started already, or a new one: after a crash it looks before it starts another. */
async function childOf({ id, pid }: RunSummary): Promise<RunSummary> {
  const [known] = await runs.list({ parent: id });
  return known ?? (await runs.get(await begin(pid)));
}

async function append(id: number, lease: RunLease, kind: 'model' | 'call'): Promise<void> {
  const text = `${life}-${nonce++}`;
  say('step', id, await runs.append(id, lease, [{ kind, body: { text } }], { tokens: 1 }), kind, text);
}

async function end(id: number, lease: RunLease, outcome: 'completed' | 'stopped'): Promise<void> {
  await runs.end(id, lease, outcome, { of: outcome });
  say('ended', id, outcome);
}

/** Somebody else ended it, or has it. */
async function tolerate(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!isFault(error, 'lease_lost') && !isFault(error, 'conflict')) throw error;
  }
}

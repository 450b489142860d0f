import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Audit, type AuditEntry, openAudit, openAuditIndex, verifyAudit } from '@warren/kernel';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { interleave } from '../harness/interleave.ts';
import { ratePerSecond } from '../harness/rate.ts';
import { atLeast, atMost, measured, type Row, ratio } from '../harness/row.ts';
import { temporaryDirectory } from '../harness/temporary-kernel.ts';
import { timed } from '../harness/timed.ts';

const CALLERS = 64;

export const audit: Benchmark = {
  name: 'audit',
  title: 'The audit: entries on disk below a signed head, and proofs',
  method:
    `${CALLERS} callers record entries of syscalls, each its next when a signed head over the last is on disk; then one caller alone. Against a plain file with one ` +
    'flush for each entry, without hashes and signatures. Then the log is opened, an entry of it proven, and all of it verified.',
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  const directory = temporaryDirectory();
  const options = {
    directory: join(directory, 'audit'),
    keyFile: join(directory, 'audit.key'),
    clock: { now: () => Date.now() },
    openIndex: openAuditIndex,
  };
  const plain = openSync(join(directory, 'plain'), 'a', 0o600);
  const line = Buffer.alloc(300, 'x');
  const flushOne = (): void => {
    writeSync(plain, line);
    fdatasyncSync(plain);
  };
  let log: Audit | undefined;
  try {
    const opened = await openAudit(options);
    log = opened;
    const count = context.isQuick ? 5_000 : 40_000;
    const grouped = { name: 'grouped', turn: () => ratePerSecond(count, CALLERS, (index) => opened.append(entryOf(index))) };
    const each = { name: 'each', turn: () => ratePerSecond(count / 40, 1, async () => flushOne()) };
    const rates = await interleave([grouped, each], context.isQuick ? 3 : 15, context, { warmups: 2 });
    const alone = { name: 'alone', turn: () => timed(() => opened.append(entryOf(0))) };
    const flush = { name: 'flush', turn: () => timed(async () => flushOne()) };
    const times = await interleave([alone, flush], context.isQuick ? 50 : 1_000, context, { restMs: 2 });
    await fill(opened, context.isQuick ? 50_000 : 1_000_000, context);
    const { size } = opened.head();
    let place = 1;
    const proof = {
      name: 'proof',
      turn: () => {
        place = (place * 48_271) % 2_147_483_647;
        return timed(() => opened.proveInclusion(place % size));
      },
    };
    const proofs = await interleave([proof], context.isQuick ? 50 : 500, context, { restMs: 0 });
    await opened.search({ limit: 1 }); // The index is behind by what was appended last.
    await opened.close();
    const opening = { name: 'open', turn: () => timed(async () => await (await openAudit(options)).close()) };
    const openings = await interleave([opening], context.isQuick ? 3 : 10, context);
    context.say(`audit: verifying ${size} entries`);
    const verifying = await timed(async () => {
      const { problems } = await verifyAudit({ directory: options.directory, publicKey: opened.publicKey, signal: context.signal });
      if (problems.length > 0) throw new Error(`The audit does not verify: ${JSON.stringify(problems[0])}`);
    });
    const perMillion = (verifying / 1_000) * (1_000_000 / size);
    return [
      measured(`Warren: ${CALLERS} callers`, '/s', rates(grouped), { bound: atLeast(20_000) }),
      measured('one flush for each, unsigned', '/s', rates(each), { ratio: ratio('Warren ÷ this', rates(grouped), rates(each)) }),
      measured('Warren: one caller', 'ms', times(alone)),
      measured('one flush', 'ms', times(flush), { ratio: ratio('Warren ÷ this', times(alone), times(flush), atMost(2)) }),
      measured(`Warren: open a log of ${size}`, 'ms', openings(opening), { bound: atMost(300) }),
      measured(`Warren: prove one of ${size}`, 'ms', proofs(proof), { bound: atMost(1) }),
      measured('Warren: verify 1,000,000', 's', [perMillion], { bound: atMost(15), note: `measured with ${size} entries` }),
    ];
  } finally {
    await log?.close();
    closeSync(plain);
    rmSync(directory, { recursive: true, force: true });
  }
}

async function fill(log: Audit, size: number, context: Context): Promise<void> {
  const missing = size - log.head().size;
  if (missing <= 0) return;
  context.say(`audit: appending ${missing} entries`);
  await ratePerSecond(missing, 1_000, (index) => {
    context.signal.throwIfAborted();
    return log.append(entryOf(index));
  });
}

function entryOf(index: number): AuditEntry {
  return {
    kind: 'syscall',
    workspace: 'default',
    actor: { kind: 'process', pid: 1 + (index % 100), agent: 'coder' },
    action: 'filesystem.read',
    outcome: 'success',
    callId: `call-${index}`,
    input: { path: `/workspace/src/file-${index}.ts` },
    inputHash: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    decision: { tier: 'autonomous' },
    durationMs: 1.5,
  };
}

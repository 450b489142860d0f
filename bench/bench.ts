/**
 * `npm run bench [-- NAME…] [--quick] [--sustain 5m] [--markdown PATH]`: measures, prints a table for each benchmark, writes bench/results/latest.json. What is slow is
 * shown, never failed: the exit code is 1 only when something did not work. Start reading at README.md.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { audit } from './benchmarks/audit.ts';
import { burst } from './benchmarks/burst.ts';
import { create } from './benchmarks/create.ts';
import { egress } from './benchmarks/egress.ts';
import { events } from './benchmarks/events.ts';
import { eventsFanout } from './benchmarks/events-fanout.ts';
import { exec } from './benchmarks/exec.ts';
import { gateway } from './benchmarks/gateway.ts';
import { idle } from './benchmarks/idle.ts';
import { kernel } from './benchmarks/kernel.ts';
import { log } from './benchmarks/log.ts';
import { mcp } from './benchmarks/mcp.ts';
import { memory } from './benchmarks/memory.ts';
import { policy } from './benchmarks/policy.ts';
import { proxy } from './benchmarks/proxy.ts';
import { recall } from './benchmarks/recall.ts';
import { redact } from './benchmarks/redact.ts';
import { rpc } from './benchmarks/rpc.ts';
import { runs } from './benchmarks/runs.ts';
import { secrets } from './benchmarks/secrets.ts';
import { start } from './benchmarks/start.ts';
import { startup } from './benchmarks/startup.ts';
import { syscall } from './benchmarks/syscall.ts';
import { wide } from './benchmarks/wide.ts';
import { workspaces } from './benchmarks/workspaces.ts';
import type { Benchmark, Context } from './harness/benchmark.ts';
import { errorsIn } from './harness/errors-in.ts';
import { describeComparators, describeMachine } from './harness/machine.ts';
import { jsonOf, markdownOf, type Report, type Result, tableOf } from './harness/report.ts';

const BENCHMARKS: readonly Benchmark[] = [
  create,
  wide,
  burst,
  exec,
  egress,
  proxy,
  idle,
  startup,
  start,
  events,
  kernel,
  runs,
  log,
  rpc,
  mcp,
  gateway,
  eventsFanout,
  policy,
  audit,
  syscall,
  memory,
  recall,
  redact,
  workspaces,
  secrets,
];
const JSON_PATH = resolve(import.meta.dirname, 'results/latest.json');

const { selected, isQuick, sustainMs, markdownPath } = readArguments();
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort(new Error('interrupted'))); // What is open is closed; a second one ends us at once.
process.once('SIGTERM', () => interrupted.abort(new Error('interrupted')));
const context: Context = { isQuick, sustainMs, signal: interrupted.signal, say: (line) => console.error(`bench: ${line}`) };

const machine = await describeMachine();
for (const [name, value] of Object.entries(machine)) console.log(`${name}: ${value}`);
const results: Result[] = [];
for (const benchmark of selected) {
  if (interrupted.signal.aborted) break;
  results.push(await measure(benchmark));
}
write({ machine: { ...machine, ...describeComparators() }, isQuick, results });
if (interrupted.signal.aborted || results.some(({ error }) => error !== undefined)) process.exitCode = 1;

async function measure(benchmark: Benchmark): Promise<Result> {
  console.log(`\n## ${benchmark.title} (${benchmark.name})\n`);
  const startedAt = performance.now();
  try {
    const rows = await benchmark.run(context);
    console.log(tableOf(rows));
    context.say(`${benchmark.name} took ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
    return { benchmark, rows };
  } catch (error) {
    const errors = errorsIn(error);
    for (const one of errors) console.error(one);
    return { benchmark, rows: [], error: errors.map((one) => (one instanceof Error ? one.message : String(one))).join('; ') };
  }
}

function write(report: Report): void {
  const files = [
    [JSON_PATH, jsonOf(report)] as const,
    ...(markdownPath === undefined ? [] : [[markdownPath, markdownOf(report)] as const]),
  ];
  for (const [path, content] of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    console.log(`\nwritten: ${relative(process.cwd(), path)}`);
  }
}

function readArguments(): {
  readonly selected: readonly Benchmark[];
  readonly isQuick: boolean;
  readonly sustainMs: number;
  readonly markdownPath: string | undefined;
} {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { quick: { type: 'boolean', default: false }, sustain: { type: 'string', default: '0s' }, markdown: { type: 'string' } },
    });
    const unknown = positionals.find((name) => BENCHMARKS.every((benchmark) => benchmark.name !== name));
    if (unknown !== undefined) throw new Error(`there is no benchmark ${unknown}`);
    return {
      selected: BENCHMARKS.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
      isQuick: values.quick,
      sustainMs: readDuration(values.sustain),
      markdownPath: values.markdown === undefined ? undefined : resolve(values.markdown),
    };
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
    console.error(
      `usage: npm run bench [-- ${BENCHMARKS.map(({ name }) => name).join(' | ')} …] [--quick] [--sustain 5m] [--markdown PATH]`,
    );
    process.exit(2);
  }
}

/** `90s` or `5m`. */
function readDuration(text: string): number {
  const [, count, unit] = /^(\d{1,5})([sm])$/.exec(text) ?? [];
  if (count === undefined) throw new Error(`--sustain is no duration such as 5m: ${text}`);
  return Number(count) * (unit === 'm' ? 60_000 : 1_000);
}

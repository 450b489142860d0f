import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { shippedEnvironment } from '../harness/daemon.ts';
import { interleave } from '../harness/interleave.ts';
import { atMost, measured, type Row, ratio } from '../harness/row.ts';
import { outputOf, timeProgram } from '../harness/run-program.ts';

const WARREN = resolve(import.meta.dirname, '../../packages/cli/bin/warren.cjs');

export const startup: Benchmark = {
  name: 'startup',
  title: 'The command line',
  method:
    'The bundle that ships, run by the Node that runs this, against `node -e 0` of the same Node. All without NODE_EXTRA_CA_CERTS, which alone costs ' +
    'each start 40 ms and more. From spawn to exit; they take turns.',
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  const env = shippedEnvironment();
  mustAnswer(['--version'], /^\d+\.\d+\.\d+/, env);
  mustAnswer(['run', '--', '/bin/echo', 'here'], /^here$/, env);
  const program = (name: string, args: readonly string[]) => ({
    name,
    turn: () => timeProgram(process.execPath, args, { stdio: 'ignore', env }),
  });
  const node = program('node -e 0', ['-e', '0']);
  const version = program('warren --version', [WARREN, '--version']);
  const runTrue = program('warren run -- true', [WARREN, 'run', '--', 'true']);
  const samplesOf = await interleave([node, version, runTrue], context.isQuick ? 8 : 60, context, { warmups: 3 });
  const comparator = samplesOf(node);
  const row = (subject: typeof node, most: number): Row =>
    measured(subject.name, 'ms', samplesOf(subject), {
      ratio: ratio('this ÷ node -e 0', samplesOf(subject), comparator, atMost(most)),
    });
  return [measured('node -e 0', 'ms', comparator), row(version, 1.5), row(runTrue, 2)];
}

/** A tool that fails fast must not look like a fast tool. */
function mustAnswer(args: readonly string[], expected: RegExp, env: NodeJS.ProcessEnv): void {
  if (!existsSync(WARREN)) throw new Error(`${WARREN} is missing: npm run setup`);
  const output = outputOf(process.execPath, [WARREN, ...args], { env });
  if (output === undefined || !expected.test(output)) {
    throw new Error(`warren ${args.join(' ')} answers ${JSON.stringify(output ?? 'with a failure')}, not ${expected}: npm run setup`);
  }
}

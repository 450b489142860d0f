/**
 * `npm run fuzz:api`: schemathesis, a fuzzer of others that reads nothing but the OpenAPI document, against the shipped daemon, with all its checks. It is installed
 * below `build/schemathesis` from the pinned versions beside this file. What is after `--` goes to it: `-- --max-examples 200 --seed 7`.
 */
import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { GateDaemon } from '../../../packages/cli/src/e2e/gate-daemon.ts';

const BUILD = resolve(import.meta.dirname, '../../../build/schemathesis');
const PYTHON = join(BUILD, 'bin/python');
const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');

/** What an operator may do and that would be the end of the daemon, or write to the machine it runs on, or last for as long as it is asked to. */
const NOT_ASKED = ['daemon.stop', 'store.backup', 'queue.claim', 'workspace.delete'];

/** Checks that judge what is so on purpose; the tests of `test/fuzz` and `who-may-call.test.ts` hold each of these their own way. */
const NOT_CHECKED = [
  // How much of a list somebody wants is brought within its bounds and never refused; a header that an operation does not read is not looked at.
  'negative_data_rejection',
  // Who sends one wrong token after the other has to wait, and is told so by 429.
  'ignored_auth',
  // The path of a word may be that of a parameter, too, and then has the methods of both.
  'allow_header_conformance',
  // A head that is too long is refused whatever the method is.
  'unsupported_method',
];

async function install(): Promise<void> {
  const mark = join(BUILD, 'installed');
  if (existsSync(mark)) return;
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--require-hashes', '--only-binary', ':all:'];
  for (const [command, ...args] of [
    ['python3', '-m', 'venv', BUILD],
    [PYTHON, ...pip, '-r', REQUIREMENTS],
  ] as const) {
    const code = await run(command, args);
    if (code !== 0) throw new Error(`Cannot install schemathesis: ${command} ${args.join(' ')} ended with ${code}`);
  }
  writeFileSync(mark, '');
}

/** Resolves with its exit code. */
async function run(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<number> {
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
  const [code] = (await once(child, 'close')) as [number | null]; // What the event is declared with.
  return code ?? 1;
}

await install();
await using daemon = await GateDaemon.start(['--listen', 'tcp:127.0.0.1:0']);
const { token } = await daemon.client.call('token.create_operator', {});
const { url, document } = daemon.daemon;
const args = [
  ...['--config-file', join(import.meta.dirname, 'schemathesis.toml'), '--no-color'],
  ...[
    'run',
    `${url}/api/openapi.json`,
    '--checks',
    'all',
    '--exclude-checks',
    NOT_CHECKED.join(','),
    '--continue-on-failure',
    '--workers',
    '2',
  ],
  ...NOT_ASKED.flatMap((name) => ['--exclude-operation-id', name]),
  ...process.argv.slice(2),
];
process.exitCode = await run(join(BUILD, 'bin/st'), args, { cwd: daemon.user.home, env: { ...process.env, WARREN_TOKEN: token } });
const status = await daemon.client.call('daemon.status', {});
if (status.system_pid !== document.pid) throw new Error('It is another daemon now');

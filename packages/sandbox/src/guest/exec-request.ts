/** EXEC: what to run, where, as whom, under which limits. */
import { Fault } from '@warren/protocol';
import { FRAME, WINDOW_BYTES } from './frame-types.ts';
import { RequestText, type User } from './request-text.ts';

export const ARGUMENTS_MAX = 32_768;
export const ENVIRONMENT_ENTRIES_MAX = 1_024;
/** A window is a u32; nobody needs more than this to keep a pipe full. */
export const WINDOW_BYTES_MAX = 67_108_864;
const ACTION = 'run the command';

/** Names of `setrlimit(2)` limits as the launcher knows them. */
export type RlimitName = 'as' | 'core' | 'cpu' | 'data' | 'fsize' | 'memlock' | 'nofile' | 'nproc' | 'stack';
export type Rlimit = { readonly name: RlimitName; readonly soft: number; readonly hard: number };

export type ExecRequest = {
  readonly argv: readonly string[];
  /** The whole environment. An entry that is `undefined` is left out. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  readonly user?: User | undefined;
  readonly pty?: { readonly rows: number; readonly columns: number } | undefined;
  readonly rlimits?: readonly Rlimit[] | undefined;
  /** Without it the command reads end of file at once. */
  readonly hasStdin?: boolean | undefined;
  /** Bytes of each output stream the guest may send ahead of its reader. */
  readonly windowBytes?: number | undefined;
  readonly umask?: number | undefined;
  /** What outlives the command is killed when it has ended. */
  readonly endsTree?: boolean | undefined;
};

/** The frame of an EXEC, still without its channel. Throws `invalid_argument` (naming the argument or option) and `too_large`. */
export function encodeExec(request: ExecRequest): Buffer {
  const text = new RequestText(ACTION);
  if (request.cwd !== undefined) text.add('--cwd').addText(request.cwd, 'cwd');
  if (request.env !== undefined) addEnvironment(text, request.env);
  text.addUser(request.user);
  if (request.pty !== undefined) {
    const { rows, columns } = request.pty;
    text.addFlag('--pty', `${text.checkInteger(rows, 'pty.rows', 1, 0xffff)}\0${text.checkInteger(columns, 'pty.columns', 1, 0xffff)}`);
  }
  for (const { name, soft, hard } of request.rlimits ?? []) text.addFlag('--rlimit', `${name}\0${soft}\0${hard}`);
  if (request.hasStdin === true) text.add('--stdin');
  if (request.windowBytes !== undefined && request.windowBytes !== WINDOW_BYTES) {
    text.addFlag('--window', text.checkInteger(request.windowBytes, 'windowBytes', 1, WINDOW_BYTES_MAX));
  }
  if (request.umask !== undefined) text.addFlag('--umask', text.checkInteger(request.umask, 'umask', 0, 0o777).toString(8));
  if (request.endsTree === true) text.add('--end-tree');
  text.add('--');
  addArguments(text, request.argv);
  return text.encode(FRAME.EXEC);
}

function addArguments(text: RequestText, argv: readonly string[]): void {
  if (argv.length === 0) throw text.refuse('argv is empty, it must name a program');
  if (argv.length > ARGUMENTS_MAX) throw tooMany('argv', argv.length, ARGUMENTS_MAX);
  for (let index = 0; index < argv.length; index++) text.addText(argv[index] as string, 'argv', index); // addText refuses a hole.
}

function addEnvironment(text: RequestText, env: Readonly<Record<string, string | undefined>>): void {
  let count = 0;
  for (const name in env) {
    const value = env[name];
    if (value === undefined) continue;
    if (name === '' || name.includes('=')) throw text.refuse(`env has an entry with the name ${JSON.stringify(name)}`);
    if (++count > ENVIRONMENT_ENTRIES_MAX) throw tooMany('env', Object.keys(env).length, ENVIRONMENT_ENTRIES_MAX);
    if (typeof value !== 'string') throw text.refuse(`env[${JSON.stringify(name)}] is not a string`);
    text.add('--env').addText(`${name}=${value}`, `env[${JSON.stringify(name)}]`);
  }
}

function tooMany(what: string, count: number, countMax: number): Fault<'too_large'> {
  return new Fault('too_large', `Cannot ${ACTION}: ${what} has ${count} entries, the limit is ${countMax}`, {
    details: { count, countMax },
  });
}

/** One program over one wire: connected with what we print, it lists our tools and its model uses one. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TemporaryDirectory } from '@warren/testkit';
import type { GateDaemon } from '../../../packages/cli/src/e2e/gate-daemon.ts';
import type { Command, Home, InteropClient } from './clients.ts';
import { StandInModel } from './model/stand-in-model.ts';
import { type Ran, runProgram } from './run-program.ts';

const RUN_MS_MAX = 120_000;
const CONTENT = 'from a program of others';

export type Wire = 'stdio' | 'http';
export type Place = { readonly daemon: GateDaemon; readonly agent: string; readonly url: string; readonly token: string };
/** `tools`: how many it offered its model. `problem`: undefined when all is well. */
export type Tried = {
  readonly connects: 'yes' | 'no' | 'not shown';
  readonly tools: number;
  readonly calls: boolean;
  readonly problem?: string;
};

type Read = { readonly output: { readonly content: string } | null };
type Entries = { readonly entries: readonly { readonly input: { readonly path: string } | null }[] };

export async function tryClient(client: InteropClient, program: string, wire: Wire, place: Place): Promise<Tried> {
  const { daemon, agent, url, token } = place;
  await using directory = await TemporaryDirectory.create();
  const home: Home = { home: directory.join('home'), project: directory.join('project') };
  await mkdir(home.home);
  await mkdir(home.project);
  const path = `${dirname(process.execPath)}:${process.env['PATH']}`;
  const env = { PATH: path, HOME: home.home, LANG: 'C.UTF-8', ...(wire === 'http' && { WARREN_TOKEN: token }) };
  const run = (command: Command): Promise<Ran> =>
    runProgram([program, ...command.words], { cwd: home.project, env: { ...env, ...command.env }, msMax: RUN_MS_MAX });

  const printed = await daemon.warren(['agent', 'connect', agent, '--client', client.name, ...(wire === 'http' ? ['--url', url] : [])]);
  const typed = await client.place(printed.stdout, home);
  if (typed !== undefined) {
    const words = ['/bin/sh', '-c', `claude() { "$PROGRAM" "$@"; }; ${typed}`];
    await runProgram(words, { cwd: home.project, env: { ...env, PROGRAM: program }, msMax: RUN_MS_MAX });
  }
  const listed = await run(client.list);
  const connects = client.connected === undefined ? 'not shown' : client.connected.test(listed.output) ? 'yes' : 'no';

  const file = `${client.name}-${wire}.txt`;
  await using model = await StandInModel.start({ tool: /filesystem__write$/, input: { path: file, content: CONTENT } });
  const asked = await run(await client.ask(model.url, home));
  const tools = [...model.offered].filter((name) => name.includes('__')).length;
  const calls = await hasWritten(file, place);
  if (connects !== 'no' && calls) return { connects, tools, calls };
  const said = connects === 'no' ? listed : asked;
  return { connects, tools, calls, problem: `${said.isLate ? 'had no time left: ' : ''}${said.output.trim().slice(-1_500)}` };
}

/** The file is there, and the audit has who wrote it. */
async function hasWritten(file: string, { daemon, agent }: Place): Promise<boolean> {
  const { document } = await daemon.outcome(['call', 'filesystem.read', `path=${file}`, '--as', agent]);
  const search = ['audit', 'search', '--agent', agent, '--action', 'filesystem.write', '--outcome', 'success'];
  const { entries } = await daemon.json<Entries>(search);
  const { output } = document as Partial<Read>; // As `warren call --json` prints, also when there is no file.
  return output?.content === CONTENT && entries.some(({ input }) => input?.path === `/workspace/${file}`);
}

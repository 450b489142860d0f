/**
 * `npm run interop`: the command line agents that people use, as they are published, against the shipped daemon. Installs them below `build/interop`, puts what
 * `warren agent connect` prints where it says, and lets each use a tool, with a stand-in for its model. `-- gemini` tries one. Exits 1 when one that installs fails.
 */
import { GateDaemon } from '../../../packages/cli/src/e2e/gate-daemon.ts';
import { INTEROP_CLIENTS } from './clients.ts';
import { installClient } from './install-client.ts';
import { endPrograms } from './run-program.ts';
import { type Place, tryClient } from './try-client.ts';

const AGENT = 'coder';
const chosen = new Set(process.argv.slice(2));
const names = new Set<string>(INTEROP_CLIENTS.map(({ name }) => name));
const unknown = [...chosen].filter((name) => !names.has(name));
if (unknown.length > 0) throw new Error(`Cannot try ${unknown.join(', ')}: there are ${[...names].join(', ')}`);

await using daemon = await GateDaemon.start(['--listen', 'tcp:127.0.0.1:0']);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    endPrograms();
    void daemon[Symbol.asyncDispose]().finally(() => process.exit(1));
  });
}
const { code, stdout, stderr } = await daemon.warren(['agent', 'create', AGENT, '--tool', '*', '--path', '/workspace:rw']);
if (code !== 0) throw new Error(`Cannot create agent "${AGENT}": ${stderr}`);
const place: Place = { daemon, agent: AGENT, url: daemon.daemon.url, token: stdout.trim() };

const rows: string[][] = [['client', 'wire', 'connects', 'tools', 'call']];
for (const client of INTEROP_CLIENTS.filter(({ name }) => chosen.size === 0 || chosen.has(name))) {
  const installed = await installClient(client);
  if ('missing' in installed) {
    console.log(`interop: SKIPPED ${client.name}: ${installed.missing}`);
    rows.push([client.packages[0] ?? '', '', 'SKIPPED']);
    continue;
  }
  for (const wire of ['stdio', 'http'] as const) {
    const { connects, tools, calls, problem } = await tryClient(client, installed.program, wire, place);
    rows.push([client.packages[0] ?? '', wire, connects, `${tools}`, calls ? 'done' : 'FAILED']);
    if (problem === undefined) continue;
    console.log(`interop: ${client.name} over ${wire} FAILED\n${problem}`);
    process.exitCode = 1;
  }
}
const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
for (const row of rows) {
  const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
  console.log(cells.join('  ').trimEnd());
}

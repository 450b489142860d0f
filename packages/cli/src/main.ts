/** The command line tool `warren`: this file is what the shipped binary runs. It answers `--version` itself, for that is how fast we start. */
import type { Sandboxes } from '@warren/sandbox';
import { VERSION } from './version.ts';

const words = process.argv.slice(2);
if (words.length === 1 && (words[0] === '--version' || words[0] === '-V')) process.stdout.write(`${VERSION}\n`);
else void main();

async function main(): Promise<void> {
  const sandboxes = words[0] === 'run' && !words.includes('--help') && !words.includes('-h') ? await beginRun() : undefined;
  const [{ runCli }, { ProcessHost }] = await Promise.all([import('./cli.ts'), import('./internal/process-host.ts')]);
  // Not by running out of work: a terminal or a pipe that is still open would keep us.
  process.exit(await runCli(words, new ProcessHost(), sandboxes));
}

/** Starts the launcher first of all: it gets ready while we read the rest of our own code. It starts no sandbox unasked, and ends with us. */
async function beginRun(): Promise<(caFile?: string) => Promise<Sandboxes>> {
  const { openRunSandboxes } = await import('./parts/sandboxes.ts');
  const opening = openRunSandboxes();
  opening.catch(() => {}); // Whoever asks for it hears of it.
  return (caFile) => (caFile === undefined ? opening : openRunSandboxes(caFile));
}

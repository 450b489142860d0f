/** The command line tool `warren`: this file is what the shipped binary runs. It answers `--version` itself, for that is how fast we start. */
import { VERSION } from './version.ts';

const words = process.argv.slice(2);
if (words.length === 1 && (words[0] === '--version' || words[0] === '-V')) {
  process.stdout.write(`${VERSION}\n`);
} else {
  const [{ runCli }, { ProcessHost }] = await Promise.all([import('./cli.ts'), import('./internal/process-host.ts')]);
  // Not by running out of work: a terminal or a pipe that is still open would keep us.
  process.exit(await runCli(words, new ProcessHost()));
}

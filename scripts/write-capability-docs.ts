/** Writes docs/capabilities.md from the definitions; with `--check` it only says whether that is up to date. */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { capabilityDocs } from '../packages/platform/src/capability/capability-docs.ts';
import { loadDefinitions, readDefinitionTexts } from '../packages/platform/src/capability/load-definitions.ts';
import { problemText } from '../packages/platform/src/capability/problem-text.ts';

const FILE = fileURLToPath(new URL('../docs/capabilities.md', import.meta.url));
const set = loadDefinitions(await readDefinitionTexts(fileURLToPath(new URL('../packages/platform/definitions', import.meta.url))));
// What is broken would be left out of the page without a word.
if (set.problems.some(({ severity }) => severity === 'error')) throw new Error(set.problems.map(problemText).join('\n'));
const text = capabilityDocs([...set.definitions.values()]);

if (process.argv.includes('--check')) {
  if ((await readFile(FILE, 'utf8').catch(() => '')) !== text) {
    process.stderr.write(
      'docs/capabilities.md is not what the definitions say; run node --conditions=warren-source scripts/write-capability-docs.ts\n',
    );
    process.exitCode = 1;
  }
} else await writeFile(FILE, text);

/**
 * Lines that match, found inside the walls by ripgrep where the machine has it, else by grep. The files are chosen before and handed over by name, so both see the same ones. Regular
 * expressions are those of Perl; what takes too long is ended with the command.
 */
import { CapabilityError } from '../../capability/handler.ts';
import type { AgentFiles } from './agent-files.ts';

export type LinePattern = {
  readonly text: string;
  readonly isRegex: boolean;
  readonly ignoresCase?: boolean | undefined;
  readonly isWord?: boolean | undefined;
};
export type FoundLine = { readonly path: string; readonly line: number; readonly text: string };

const OUTPUT_BYTES_MAX = 16_777_216;
const LINES_MAX = 200_000;
/** Of a line that is shown or looked at again. */
const LINE_CHARACTERS_MAX = 65_536;

/** `paths` are absolute. `isWhole` is false when there were more lines than are looked at. Throws `InvalidPattern`. */
export async function findLines(
  files: AgentFiles,
  paths: readonly string[],
  pattern: LinePattern,
): Promise<{ readonly lines: readonly FoundLine[]; readonly isWhole: boolean }> {
  const program = await commandOf(files, pattern);
  await checkPattern(files, program);
  if (paths.length === 0) return { lines: [], isWhole: true };
  const { exit, stdout } = await files.run(['xargs', '-0', ...program, '--'], {
    stdin: paths.map((path) => `${path}\0`).join(''),
    outputBytesMax: OUTPUT_BYTES_MAX,
  });
  const lines = program[0] === 'rg' ? parseMessages(stdout) : parseLines(stdout);
  return { lines: lines.slice(0, LINES_MAX), isWhole: exit.kind === 'exited' && lines.length <= LINES_MAX };
}

async function commandOf(files: AgentFiles, { text, isRegex, ignoresCase, isWord }: LinePattern): Promise<readonly string[]> {
  if (text.includes('\0') || text.includes('\n')) {
    throw new CapabilityError('InvalidPattern', 'Cannot use the pattern: it holds a NUL or goes over lines', {
      context: { field: 'pattern' },
    });
  }
  const flags = [...(ignoresCase === true ? ['-i'] : []), ...(isWord === true ? ['-w'] : []), '-e', text];
  // What was a file when it was chosen may be a pipe by now, and opening that waits for a writer; of ripgrep nobody can ask that, so there the deadline of the call ends it.
  const ripgrep = ['rg', '--json', '--no-config', '--no-messages', '--no-ignore', '--hidden', isRegex ? '--engine=auto' : '-F', ...flags];
  const grep = ['grep', '-sIHnZ', '--devices=skip', '--color=never', isRegex ? '-P' : '-F', ...flags];
  const { exit } = await files.run(['sh', '-c', 'command -v rg']);
  return exit.kind === 'exited' && exit.code === 0 ? ripgrep : grep;
}

/** Asked of nothing, so that what it says is about the pattern. */
async function checkPattern(files: AgentFiles, program: readonly string[]): Promise<void> {
  const { exit, stderr } = await files.run([...program, '--', '/dev/null'], { outputBytesMax: 65_536 });
  if (exit.kind === 'exited' && exit.code <= 1) return;
  const said = Buffer.from(stderr).toString().trim().slice(0, 300);
  throw new CapabilityError('InvalidPattern', `Cannot use the pattern: ${said || 'it is not understood'}`, {
    context: { field: 'pattern' },
  });
}

/** `path NUL number : text newline`; names may hold anything but a NUL. The last line may be cut off. */
function parseLines(output: Uint8Array): FoundLine[] {
  const bytes = Buffer.from(output.buffer, output.byteOffset, output.length);
  const lines: FoundLine[] = [];
  for (let at = 0; at < bytes.length && lines.length <= LINES_MAX; ) {
    const nameEnd = bytes.indexOf(0, at);
    const end = nameEnd < 0 ? -1 : bytes.indexOf(0x0a, nameEnd);
    if (end < 0) break;
    const colon = bytes.indexOf(0x3a, nameEnd);
    const line = Number(bytes.toString('latin1', nameEnd + 1, colon));
    const text = bytes.toString('utf8', colon + 1, Math.min(end, colon + 1 + LINE_CHARACTERS_MAX));
    if (Number.isSafeInteger(line)) lines.push({ path: bytes.toString('utf8', at, nameEnd), line, text: text.replace(/\r$/, '') });
    at = end + 1;
  }
  return lines;
}

type Text = { readonly text?: string };
type Message = {
  readonly type?: string;
  readonly data?: { readonly path?: Text; readonly lines?: Text; readonly line_number?: number; readonly binary_offset?: number | null };
};

/** What ripgrep says, a line of JSON for each thing. Its plain output has words about binary files between the lines, which names could be mistaken for. */
function parseMessages(output: Uint8Array): FoundLine[] {
  const lines: FoundLine[] = [];
  let fileStart = 0;
  for (const json of Buffer.from(output.buffer, output.byteOffset, output.length).toString().split('\n').slice(0, -1)) {
    const { type, data } = JSON.parse(json) as Message; // Only looked at; what is absent is passed over.
    if (type === 'begin') fileStart = lines.length;
    if (type === 'end' && typeof data?.binary_offset === 'number') lines.length = fileStart; // As grep: nothing of a binary file.
    const { path, lines: found, line_number: line } = data ?? {};
    if (type !== 'match' || path?.text === undefined || found?.text === undefined || line === undefined) continue;
    lines.push({ path: path.text, line, text: found.text.replace(/\r?\n.*$/s, '').slice(0, LINE_CHARACTERS_MAX) });
    if (lines.length > LINES_MAX) break;
  }
  return lines;
}

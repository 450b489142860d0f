/**
 * Writes the changes of a run as a patch in git's format, which `git apply` takes. What git cannot say (an empty directory, a mode other than
 * executable or not, a fifo) stands in lines that begin with `#`, which it skips; a file that is not shown in lines makes it refuse the patch,
 * as it should. Two forms: bytes, exact, for files and pipes; and text for a terminal, with everything in it made harmless.
 */
import { ancestorsOf, type BytePath } from './byte-path.ts';
import type { ContentDiff } from './content-diff.ts';
import type { DiffEntry } from './diff-entries.ts';
import { quoteForGit } from './git-quote.ts';
import { hunkHeader } from './line-diff.ts';
import { OpenDiff } from './open-diff.ts';
import type { PathState } from './path-state.ts';
import type { Review } from './review.ts';
import { escapeBytesForTerminal } from './terminal-text.ts';

export type DiffOptions = { readonly signal?: AbortSignal };

/** Without its newline; one character for each byte. */
type PatchLine = { readonly kind: 'header' | 'hunk' | 'added' | 'removed' | 'context' | 'note'; readonly text: string };

/** SGR sequences, as git's defaults. */
const COLOURS: Readonly<Record<PatchLine['kind'], string>> = {
  header: '\x1b[1m',
  hunk: '\x1b[36m',
  added: '\x1b[32m',
  removed: '\x1b[31m',
  context: '',
  note: '\x1b[33m',
};
const COLOUR_OFF = '\x1b[m';

/** The patch, exactly: what is no UTF-8 stays what it is. Ending the iteration early is fine. */
export async function* patchBytes(review: Review, options: DiffOptions = {}): AsyncGenerator<Uint8Array> {
  for await (const lines of patchLines(review, options, forGit)) yield Buffer.from(lines.map(({ text }) => `${text}\n`).join(''), 'latin1');
}

/** The patch for the eyes of a person at a terminal. Nothing in it that a terminal obeys, but the colours asked for. */
export async function* patchText(review: Review, options: DiffOptions & { readonly colour?: boolean } = {}): AsyncGenerator<string> {
  for await (const lines of patchLines(review, options, forEyes)) {
    yield lines.map((line) => `${options.colour === true ? coloured(line) : escapeBytesForTerminal(line.text)}\n`).join('');
  }
}

function coloured({ kind, text }: PatchLine): string {
  const on = COLOURS[kind];
  return on === '' ? escapeBytesForTerminal(text) : `${on}${escapeBytesForTerminal(text)}${COLOUR_OFF}`;
}

type Sections = (entry: DiffEntry, open: OpenDiff) => PatchLine[];

function forEyes(entry: DiffEntry, open: OpenDiff): PatchLine[] {
  return sectionsOf(entry, open);
}

/** `git apply` refuses a whole patch for one path in `.git`, and a run that called git has changed the index there: it passes over what is commented. */
function forGit(entry: DiffEntry, open: OpenDiff): PatchLine[] {
  const lines = sectionsOf(entry, open);
  if (!entry.path.split('/').includes('.git')) return lines;
  return lines.map(({ text }) => ({ kind: 'note', text: `# ${text}` }));
}

async function* patchLines(review: Review, { signal }: DiffOptions, sections: Sections): AsyncGenerator<readonly PatchLine[]> {
  if (review.changes.length === 0) return;
  using open = new OpenDiff(review, signal);
  const entries = await open.entries();
  const filled = filledDirectories(entries);
  for (const entry of entries) {
    if (open.pace.isDue) await open.pace.rest();
    const lines = [...notesOf(entry, filled), ...sections(entry, open)];
    if (lines.length > 0) yield lines;
  }
}

/** Directories that git makes or removes by itself, for what is in them. */
function filledDirectories(entries: readonly DiffEntry[]): ReadonlySet<string> {
  const filled = new Set<string>();
  const fill = (path: BytePath): void => {
    for (const directory of ancestorsOf(path)) {
      if (filled.has(directory)) return; // And so is everything above it.
      filled.add(directory);
    }
  };
  for (const { path, from, before, after } of entries) {
    if (hasContent(before) || hasContent(after)) fill(path);
    if (from !== undefined) fill(from);
  }
  return filled;
}

function hasContent(state: PathState | undefined): boolean {
  return state?.kind === 'file' || state?.kind === 'symlink';
}

function notesOf(entry: DiffEntry, filled: ReadonlySet<string>): PatchLine[] {
  const { path, before, after, change } = entry;
  const name = quoteForGit(path) || '.';
  const notes: string[] = [];
  if (change.attention !== undefined) notes.push(`attention: ${name}: ${change.attention}`);
  if (entry.deletion?.attention !== undefined) notes.push(`attention: ${quoteForGit(entry.deletion.path)}: ${entry.deletion.attention}`);
  if (change.status.kind === 'conflict') notes.push(`conflict: ${name}: ${escapeLine(change.status.reason)}`);
  if (change.refusal !== undefined) notes.push(`cannot be applied: ${name}: ${change.refusal.detail}`);
  if (before?.kind === 'directory' && after?.kind !== 'directory' && !filled.has(path)) notes.push(`empty directory removed: ${name}`);
  if (after?.kind === 'directory' && before?.kind !== 'directory' && !filled.has(path)) notes.push(`empty directory added: ${name}`);
  const modes = modeNote(before, after);
  if (modes !== undefined) notes.push(`mode of ${name}: ${modes}`);
  return notes.map((text) => ({ kind: 'note', text: `# ${text}` }));
}

/** Git knows of a mode only whether the owner may execute. */
function modeNote(before: PathState | undefined, after: PathState | undefined): string | undefined {
  if (before === undefined || after === undefined || before.kind !== after.kind) return undefined;
  if (before.kind === 'symlink' || after.kind === 'symlink' || before.mode === after.mode) return undefined;
  if (before.kind === 'file' && gitMode(before) !== gitMode(after)) return undefined;
  return `${octal(before.mode)} -> ${octal(after.mode)}`;
}

function sectionsOf(entry: DiffEntry, open: OpenDiff): PatchLine[] {
  const { path, from, before, after } = entry;
  const left = hasContent(before) ? before : undefined;
  const right = hasContent(after) ? after : undefined;
  if (left === undefined && right === undefined) return [];
  const differ = (one: PathState | undefined, other: PathState | undefined): ContentDiff =>
    open.differ.diff(from ?? path, one, path, other);
  // Git tells a file that became a link as one that goes and another that comes.
  if (left !== undefined && right !== undefined && left.kind !== right.kind) {
    return [
      ...section(path, undefined, left, undefined, differ(left, undefined)),
      ...section(path, undefined, undefined, right, differ(undefined, right)),
    ];
  }
  const content = differ(left, right);
  if (content.kind === 'same' && from === undefined && left !== undefined && right !== undefined && gitMode(left) === gitMode(right))
    return [];
  return section(path, from, left, right, content);
}

function section(
  path: BytePath,
  from: BytePath | undefined,
  before: PathState | undefined,
  after: PathState | undefined,
  content: ContentDiff,
): PatchLine[] {
  const oldName = quoteForGit(from ?? path, 'a/');
  const newName = quoteForGit(path, 'b/');
  const header = (text: string): PatchLine => ({ kind: 'header', text });
  const lines = [...notShown(content), header(`diff --git ${oldName} ${newName}`)];
  if (before === undefined) lines.push(header(`new file mode ${gitMode(after)}`));
  else if (after === undefined) lines.push(header(`deleted file mode ${gitMode(before)}`));
  else if (gitMode(before) !== gitMode(after)) lines.push(header(`old mode ${gitMode(before)}`), header(`new mode ${gitMode(after)}`));
  if (from !== undefined) {
    lines.push(header('similarity index 100%'), header(`rename from ${quoteForGit(from)}`), header(`rename to ${quoteForGit(path)}`));
  }
  // Git takes a header of one line for no header at all, and would skip a file that it must refuse. We do not know the objects' names.
  if (lines.at(-1)?.text.startsWith('diff ') === true && content.kind !== 'text')
    lines.push(header(`index 0000000..0000000 ${gitMode(after)}`));
  const names = [before === undefined ? '/dev/null' : oldName, after === undefined ? '/dev/null' : newName] as const;
  return [...lines, ...contentLines(names, content)];
}

function contentLines([oldName, newName]: readonly [string, string], content: ContentDiff): PatchLine[] {
  switch (content.kind) {
    case 'same':
      return [];
    case 'text':
      return [
        { kind: 'header', text: `--- ${ended(oldName)}` },
        { kind: 'header', text: `+++ ${ended(newName)}` },
        ...content.hunks.flatMap((hunk) => [{ kind: 'hunk' as const, text: hunkHeader(hunk) }, ...hunk.lines.map(bodyLine)]),
      ];
    case 'binary':
    case 'large':
    case 'slow':
    case 'unreadable':
      return [{ kind: 'header', text: `Binary files ${oldName} and ${newName} differ` }];
    default:
      return content satisfies never;
  }
}

const NOT_SHOWN = { large: 'too large', slow: 'too different', unreadable: 'not readable' } as const;

/** Before the header: git looks for what it knows right after it. */
function notShown(content: ContentDiff): PatchLine[] {
  if (content.kind === 'same' || content.kind === 'text' || content.kind === 'binary') return [];
  return [{ kind: 'note', text: `# not shown (${NOT_SHOWN[content.kind]}): ${content.beforeBytes} -> ${content.afterBytes} bytes` }];
}

/** A name with a space is followed by a tab, so that a time stamp is not looked for in it. */
function ended(name: string): string {
  return name.includes(' ') ? `${name}\t` : name;
}

function bodyLine(text: string): PatchLine {
  return { kind: text.startsWith('+') ? 'added' : text.startsWith('-') ? 'removed' : 'context', text };
}

function gitMode(state: PathState | undefined): string {
  if (state?.kind === 'symlink') return '120000';
  return state?.kind === 'file' && (state.mode & 0o100) !== 0 ? '100755' : '100644';
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

function escapeLine(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Reads a unified diff, strictly: what is not understood refuses the whole. Pure. */

export const PATCH_LIMITS = { filesMax: 200, hunksMax: 10_000 } as const;

export type HunkLine = {
  readonly kind: 'context' | 'add' | 'remove';
  /** With its line end; the last of a file may have none. */
  readonly text: string;
};
export type Hunk = { readonly oldStart: number; readonly newStart: number; readonly lines: readonly HunkLine[] };
/** Names as they stand in the patch; undefined is `/dev/null`. */
export type FilePatch = {
  readonly oldName: string | undefined;
  readonly newName: string | undefined;
  readonly isRename: boolean;
  /** Permissions of a file that is made. */
  readonly mode: number | undefined;
  readonly hunks: readonly Hunk[];
};
export type ParsedPatch =
  | { readonly kind: 'patch'; readonly files: readonly FilePatch[] }
  | { readonly kind: 'parse_error'; readonly hint: string };

export function parsePatch(text: string): ParsedPatch {
  try {
    return { kind: 'patch', files: new PatchReader(text).read() };
  } catch (error) {
    if (error instanceof PatchSyntaxError) return { kind: 'parse_error', hint: error.message };
    throw error;
  }
}

/** The same change in the other direction. */
export function reversePatch({ oldName, newName, isRename, hunks }: FilePatch): FilePatch {
  const kinds = { context: 'context', add: 'remove', remove: 'add' } as const;
  const turned = hunks.map(({ oldStart, newStart, lines }) => ({
    oldStart: newStart,
    newStart: oldStart,
    lines: lines.map(({ kind, text }): HunkLine => ({ kind: kinds[kind], text })),
  }));
  return { oldName: newName, newName: oldName, isRename, mode: undefined, hunks: turned };
}

class PatchSyntaxError extends Error {}

const HUNK = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@/;

class PatchReader {
  readonly #lines: readonly string[];
  #at = 0;
  #hunks = 0;

  constructor(text: string) {
    this.#lines = text.split('\n');
  }

  read(): readonly FilePatch[] {
    const files: FilePatch[] = [];
    while (this.#at < this.#lines.length) {
      const file = this.#peek().startsWith('diff --git ')
        ? this.#readGit()
        : this.#peek().startsWith('--- ')
          ? this.#readPlain()
          : undefined;
      if (file === undefined) {
        if (/^(@@ |GIT binary patch|Binary files )/.test(this.#peek())) throw this.#wrong('it has no file header, or is binary');
        this.#at++; // Words around a patch, as of a mail.
        continue;
      }
      files.push(file);
      if (files.length > PATCH_LIMITS.filesMax) throw this.#wrong(`it has more than ${PATCH_LIMITS.filesMax} files`);
    }
    if (files.length === 0) throw new PatchSyntaxError('it holds no unified diff');
    return files;
  }

  #peek(): string {
    return this.#lines[this.#at] ?? '';
  }

  #wrong(why: string): PatchSyntaxError {
    return new PatchSyntaxError(`line ${this.#at + 1}: ${why}`);
  }

  #readGit(): FilePatch {
    const first = this.#at++;
    const headers = new Map<string, string>();
    for (let found = this.#extended(); found !== undefined; found = this.#extended()) {
      headers.set(found.name, found.value);
      this.#at++;
    }
    if (headers.has('copy from') || headers.has('copy to')) throw this.#wrong('copies are not supported');
    if (/^(GIT binary patch|Binary files )/.test(this.#peek())) throw this.#wrong('it is binary');
    const mode = headers.get('new file mode');
    if (mode !== undefined && !/^100(644|755)$/.test(mode)) throw this.#wrong('only regular files can be made');
    if (/^(120000|160000)/.test(headers.get('deleted file mode') ?? '')) throw this.#wrong('only regular files can be deleted');
    const from = headers.get('rename from');
    const to = headers.get('rename to');
    const plain = this.#peek().startsWith('--- ') ? this.#readPlain() : undefined;
    if (plain === undefined && from === undefined) {
      if (mode === undefined && !headers.has('deleted file mode')) throw this.#wrong('it changes nothing that can be changed here');
      const name = gitName(this.#lines[first] ?? '');
      if (name === undefined) throw this.#wrong('the name cannot be understood');
      const made = mode !== undefined;
      return {
        oldName: made ? undefined : name.old,
        newName: made ? name.fresh : undefined,
        isRename: false,
        mode: modeOf(mode),
        hunks: [],
      };
    }
    if (from === undefined || to === undefined) return { ...(plain as FilePatch), mode: modeOf(mode) }; // Without a rename there is a plain one.
    return { oldName: `a/${unquote(from)}`, newName: `b/${unquote(to)}`, isRename: true, mode: undefined, hunks: plain?.hunks ?? [] };
  }

  #extended(): { readonly name: string; readonly value: string } | undefined {
    const [, name, value] =
      /^(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to|similarity index|dissimilarity index|index) (.*?)\r?$/.exec(
        this.#peek(),
      ) ?? [];
    return name === undefined || value === undefined ? undefined : { name, value };
  }

  #readPlain(): FilePatch {
    const oldName = this.#name('--- ');
    const newName = this.#name('+++ ');
    const hunks: Hunk[] = [];
    while (this.#peek().startsWith('@@ ')) hunks.push(this.#readHunk());
    if (oldName === undefined && newName === undefined) throw this.#wrong('both names are /dev/null');
    if (hunks.length === 0) throw this.#wrong('a file has no hunk');
    return { oldName, newName, isRename: false, mode: undefined, hunks };
  }

  #name(marker: '--- ' | '+++ '): string | undefined {
    const line = this.#peek();
    if (!line.startsWith(marker)) throw this.#wrong(`"${marker.trim()}" is missing`);
    this.#at++;
    const text = line.slice(marker.length).replace(/\r$/, '');
    const name = text.startsWith('"') ? unquote(text) : (text.split('\t')[0] ?? '').trimEnd();
    if (name === '') throw this.#wrong('a name is empty');
    return name === '/dev/null' ? undefined : name;
  }

  #readHunk(): Hunk {
    const match = HUNK.exec(this.#peek());
    if (match === null) throw this.#wrong('the head of a hunk cannot be understood');
    if (++this.#hunks > PATCH_LIMITS.hunksMax) throw this.#wrong(`it has more than ${PATCH_LIMITS.hunksMax} hunks`);
    this.#at++;
    let oldLeft = Number(match[2] ?? 1);
    let newLeft = Number(match[4] ?? 1);
    const lines: HunkLine[] = [];
    while (oldLeft > 0 || newLeft > 0) {
      const line = this.#lines[this.#at];
      if (line === undefined) throw this.#wrong('a hunk ends too early');
      const kind = line.startsWith('+')
        ? 'add'
        : line.startsWith('-')
          ? 'remove'
          : line.startsWith(' ') || line === '' || line === '\r'
            ? 'context'
            : undefined;
      if (kind === undefined) throw this.#wrong('a line of a hunk begins with none of " ", "+", "-"');
      this.#at++;
      if (kind !== 'add') oldLeft--;
      if (kind !== 'remove') newLeft--;
      const hasNoEnd = this.#peek().startsWith('\\');
      if (hasNoEnd) this.#at++;
      lines.push({ kind, text: `${line.slice(1)}${hasNoEnd ? '' : '\n'}` });
    }
    if (oldLeft < 0 || newLeft < 0) throw this.#wrong('a hunk has other lines than its head says');
    return { oldStart: Number(match[1]), newStart: Number(match[3]), lines };
  }
}

function modeOf(mode: string | undefined): number | undefined {
  return mode === undefined ? undefined : mode === '100755' ? 0o755 : 0o644;
}

/** Both names of `diff --git a/x b/x`, when they are the same one. */
function gitName(line: string): { readonly old: string; readonly fresh: string } | undefined {
  const rest = line.slice('diff --git '.length).replace(/\r$/, '');
  const half = (rest.length - 1) / 2;
  const old = rest.slice(0, half);
  const fresh = rest.slice(half + 1);
  if (!Number.isInteger(half) || rest[half] !== ' ') return undefined;
  const names = { old: unquote(old), fresh: unquote(fresh) };
  return names.old.replace(/^a\//, '') === names.fresh.replace(/^b\//, '') ? names : undefined;
}

/** A name as git quotes it: octal bytes and the usual escapes. */
function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  const end = text.lastIndexOf('"');
  if (end < 1) throw new PatchSyntaxError('a quoted name does not end');
  const escapes: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, '"': 34, '\\': 92 };
  const parts = text.slice(1, end).match(/\\[0-3][0-7]{2}|\\.|[^\\]+/gs) ?? [];
  const bytes = parts.map((part) => {
    if (!part.startsWith('\\')) return Buffer.from(part);
    const code = /^\\[0-7]{3}$/.test(part) ? Number.parseInt(part.slice(1), 8) : escapes[part.slice(1)];
    if (code === undefined) throw new PatchSyntaxError('a quoted name has an escape that means nothing');
    return Buffer.of(code);
  });
  return Buffer.concat(bytes).toString();
}

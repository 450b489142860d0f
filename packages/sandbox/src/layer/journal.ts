/**
 * What apply is about to do to the host, written down and flushed before it does it: each step with the state before and after, and the
 * previous content of files kept beside. It does not say which steps were done. The host does: a path that stands as it was before its step is
 * not done, one that stands as after it is; so a kill between any two instructions needs no record of its own.
 */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Fault } from '@warren/protocol';
import { type BytePath, pathToJson, readPath } from './byte-path.ts';
import { copyContent, reflink } from './content.ts';
import { errnoOf, fileFault } from './internal/errno.ts';
import type { Pace } from './internal/pace.ts';
import { readBoolean, readFields, readInteger, readList, readOneOf } from './internal/shape.ts';
import { syncDirectory } from './internal/write-atomically.ts';
import { type PathState, readState, stateToJson } from './path-state.ts';
import { removeTree } from './remove-tree.ts';
import type { Tree } from './tree.ts';

const OPERATIONS = ['write', 'link', 'mkdir', 'unlink', 'rmdir', 'chmod'] as const;
export type StepOperation = (typeof OPERATIONS)[number];

/** One system call's worth of change to one path of the host. */
export type Step = {
  readonly operation: StepOperation;
  readonly path: BytePath;
  readonly before: PathState | undefined;
  readonly after: PathState | undefined;
  /** Gives the owner of a directory the right to write for the time of the apply; a later `chmod` takes it back. */
  readonly isTemporary?: boolean;
};

export type JournalStep = Step & {
  readonly number: number;
  /** Whose the path was. */
  readonly owner?: readonly [uid: number, gid: number];
};

const NUMBER_MAX = 100_000_000;

export class Journal implements Disposable {
  readonly #directory: string;
  readonly #steps: JournalStep[];
  #file: number | undefined;
  #isInterrupted: boolean;

  private constructor(directory: string, steps: JournalStep[], isInterrupted: boolean) {
    this.#directory = directory;
    this.#steps = steps;
    this.#isInterrupted = isInterrupted;
  }

  /** Reads the journal of a run; without one it is empty. Throws `internal` when it is damaged. */
  static open(directory: string): Journal {
    const path = join(directory, 'steps.jsonl');
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return new Journal(directory, [], false);
      throw fileFault(error, `Cannot read ${path}`);
    }
    const steps: JournalStep[] = [];
    let isInterrupted = false;
    // What follows the last newline was cut off while being written: nothing was done on its strength.
    for (const [index, line] of text.split('\n').slice(0, -1).entries()) {
      const entry = readEntry(line, path, index + 1);
      if (typeof entry === 'object') steps.push(entry);
      else isInterrupted = entry === 'begin';
    }
    return new Journal(directory, steps, isInterrupted);
  }

  /** In the order they were written. */
  get steps(): readonly JournalStep[] {
    return this.#steps;
  }

  /** Whether the last apply or undo was killed. It may have left temporary files. */
  get isInterrupted(): boolean {
    return this.#isInterrupted;
  }

  /** Numbers the next steps. */
  get nextNumber(): number {
    return (this.#steps.at(-1)?.number ?? -1) + 1;
  }

  /** Before the first temporary file. */
  begin(): void {
    mkdirSync(join(this.#directory, 'backup'), { recursive: true, mode: 0o700 });
    this.#write(['{"mark":"begin"}']);
    syncDirectory(this.#directory);
    syncDirectory(dirname(this.#directory));
    this.#isInterrupted = true;
  }

  /** Once no temporary file is left. */
  end(): void {
    this.#write(['{"mark":"end"}']);
    this.#isInterrupted = false;
  }

  /** Returns when the steps, and the backups they rely on, are on disk. */
  append(steps: readonly JournalStep[]): void {
    syncDirectory(join(this.#directory, 'backup'));
    this.#write(steps.map(stepToLine));
    this.#steps.push(...steps);
  }

  /**
   * Keeps the file at `path` as it is now. In the same file system it only gets a second name, so that undo brings back the very same file, with
   * its times, owner and attributes; elsewhere it is copied.
   */
  async backUp(number: number, lower: Tree, path: BytePath, size: number, pace: Pace): Promise<void> {
    const backup = this.backupPath(number);
    rmSync(backup, { force: true }); // Of a step that was prepared and never written down.
    try {
      linkSync(lower.at(path), backup);
      return;
    } catch (error) {
      // Another file system, or a kernel that lets only the owner link (fs.protected_hardlinks), or one that cannot: copy.
      if (!['EXDEV', 'EPERM', 'EMLINK', 'EOPNOTSUPP', 'ENOSYS'].includes(errnoOf(error) ?? '')) throw error;
    }
    await this.#copy(lower, path, size, backup, pace);
  }

  backupPath(number: number): string {
    return join(this.#directory, 'backup', `${number}`);
  }

  /** Forgets everything, at once for whoever looks. */
  async discard(pace: Pace): Promise<void> {
    this[Symbol.dispose]();
    const leaving = `${this.#directory}.gone`;
    await removeTree(leaving, pace);
    try {
      renameSync(this.#directory, leaving);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    this.#steps.length = 0;
    this.#isInterrupted = false;
    await removeTree(leaving, pace);
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  async #copy(lower: Tree, path: BytePath, size: number, backup: string, pace: Pace): Promise<void> {
    const source = lower.openFile(path);
    try {
      const isCloned = reflink(source, backup);
      const target = openSync(backup, isCloned ? 'r+' : 'wx', 0o600);
      try {
        if (!isCloned) await copyContent(source, target, size, pace);
        fsyncSync(target);
      } finally {
        closeSync(target);
      }
    } finally {
      closeSync(source);
    }
  }

  #write(lines: readonly string[]): void {
    const file = this.#openForAppend();
    const { size } = fstatSync(file);
    try {
      const bytes = Buffer.from(`${lines.join('\n')}\n`);
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, size + done);
      fsyncSync(file);
    } catch (error) {
      ftruncateSync(file, size); // Half a line must not stand before a whole one.
      throw error;
    }
  }

  #openForAppend(): number {
    if (this.#file !== undefined) return this.#file;
    const path = join(this.#directory, 'steps.jsonl');
    const file = openSync(path, 'a+', 0o600);
    this.#file = file;
    const bytes = readFileSync(path);
    ftruncateSync(file, bytes.lastIndexOf(0x0a) + 1); // As in `open`.
    return file;
  }
}

function stepToLine(step: JournalStep): string {
  return JSON.stringify({
    number: step.number,
    operation: step.operation,
    path: pathToJson(step.path),
    ...(step.before === undefined ? {} : { before: stateToJson(step.before) }),
    ...(step.after === undefined ? {} : { after: stateToJson(step.after) }),
    ...(step.owner === undefined ? {} : { owner: step.owner }),
    ...(step.isTemporary === true ? { isTemporary: true } : {}),
  });
}

function readEntry(line: string, path: string, lineNumber: number): JournalStep | 'begin' | 'end' {
  try {
    const value: unknown = JSON.parse(line);
    const fields = readFields(value, 'step', [], ['mark', 'number', 'operation', 'path', 'before', 'after', 'owner', 'isTemporary']);
    if (fields['mark'] !== undefined) return readOneOf(fields['mark'], 'mark', ['begin', 'end']);
    const [uid, gid] =
      fields['owner'] === undefined ? [] : readList(fields['owner'], 'owner', 2, (item, where) => readInteger(item, where));
    return {
      number: readInteger(fields['number'], 'number', NUMBER_MAX),
      operation: readOneOf(fields['operation'], 'operation', OPERATIONS),
      path: readPath(fields['path'], 'path'),
      before: fields['before'] === undefined ? undefined : readState(fields['before'], 'before'),
      after: fields['after'] === undefined ? undefined : readState(fields['after'], 'after'),
      ...(uid === undefined || gid === undefined ? {} : { owner: [uid, gid] }),
      ...(fields['isTemporary'] !== undefined && readBoolean(fields['isTemporary'], 'isTemporary') ? { isTemporary: true } : {}),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Fault('internal', `Cannot read line ${lineNumber} of ${path}: ${reason}`, { cause: error });
  }
}

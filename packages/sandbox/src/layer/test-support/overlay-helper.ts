import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { OpaqueProbe } from '../scan.ts';

/** Path to kind, mode, and hash or target. Names as in the file system, one character for each byte. */
export type Snapshot = Readonly<Record<string, readonly [kind: string, mode: number, detail: string]>>;

/** One change to a tree. Names and contents with one character for each byte. */
export type Edit =
  | readonly ['write', path: string, content: string, mode?: number]
  | readonly ['append', path: string, content: string]
  | readonly ['mkdir', path: string, mode?: number]
  | readonly ['symlink', path: string, target: string]
  | readonly ['remove', path: string]
  | readonly ['rename', from: string, to: string]
  | readonly ['chmod', path: string, mode: number]
  | readonly ['touch', path: string]
  | readonly ['link', path: string, name: string]
  | readonly ['fifo', path: string]
  | readonly ['sparse', path: string, size: number]
  /** This many directories of one name below each other, with a file `bottom` at the end. */
  | readonly ['deep', name: string, depth: number, content: string];

export type OverlayRequest = {
  readonly lower: string;
  readonly upper: string;
  readonly work: string;
  readonly merged: string;
  readonly edits: readonly Edit[];
};

/** A Python process that mounts real overlays and looks at trees without any code of ours. See overlay-helper.py. */
export class OverlayHelper implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;
  #turn: Promise<unknown> = Promise.resolve();

  constructor() {
    this.#process = spawn('python3', [join(import.meta.dirname, 'overlay-helper.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** Asks for the mark as the launcher will. */
  readonly probe: OpaqueProbe = async (paths) => (await this.#ask({ do: 'opaque', paths })) as readonly boolean[];

  async snapshot(directory: string): Promise<Snapshot> {
    return decodeSnapshot(await this.#ask({ do: 'snapshot', directory }));
  }

  /** Makes the edits through an overlay of its own and gives what they see in the end. */
  async overlay(request: OverlayRequest): Promise<Snapshot> {
    return decodeSnapshot(await this.#ask({ do: 'overlay', ...request, edits: request.edits.map(encodeEdit) }));
  }

  /** Makes the edits in a directory of the host. */
  async build(directory: string, edits: readonly Edit[]): Promise<void> {
    await this.#ask({ do: 'build', directory, edits: edits.map(encodeEdit) });
  }

  async mknod(path: string, major: number, minor: number): Promise<void> {
    await this.#ask({ do: 'mknod', path, major, minor });
  }

  /** Removes a tree deeper than Node can. */
  async removeDeep(directory: string): Promise<void> {
    await this.#ask({ do: 'remove-deep', directory });
  }

  /** Why overlays cannot be mounted here; `undefined`: they can. */
  async overlayProblem(request: Omit<OverlayRequest, 'edits'>): Promise<string | undefined> {
    try {
      await this.overlay({ ...request, edits: [] });
      return undefined;
    } catch (error) {
      return `overlays in a user namespace cannot be mounted here: ${String(error)}`;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return;
    this.#process.stdin.end();
    await once(this.#process, 'exit');
  }

  #ask(request: object): Promise<unknown> {
    const answer = this.#turn.then(async () => {
      this.#process.stdin.write(`${JSON.stringify(request)}\n`);
      const { value } = await this.#answers.next();
      const reply = JSON.parse(value as string) as { result?: unknown; error?: string; trace?: string };
      if (reply.error !== undefined) throw new Error(`${reply.error}\n${reply.trace}`);
      return reply.result;
    });
    this.#turn = answer.catch(() => {});
    return answer;
  }
}

function encodeEdit(edit: Edit): readonly unknown[] {
  const [operation, path, ...rest] = edit;
  switch (operation) {
    case 'write':
      return [operation, hex(path), hex(edit[2]), edit[3] ?? 0o644];
    case 'mkdir':
      return [operation, hex(path), edit[2] ?? 0o755];
    case 'append':
    case 'symlink':
    case 'rename':
    case 'link':
      return [operation, hex(path), hex(edit[2])];
    case 'deep':
      return [operation, hex(path), edit[2], hex(edit[3])];
    default:
      return [operation, hex(path), ...rest];
  }
}

function hex(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('hex');
}

function decodeSnapshot(answer: unknown): Snapshot {
  const entries = Object.entries(answer as Snapshot).map(([path, state]) => [Buffer.from(path, 'hex').toString('latin1'), state] as const);
  return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
}

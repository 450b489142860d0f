/**
 * The files of the caller as a handler sees them. Everything here happens inside the walls of the caller's sandbox: no path of an agent is ever looked up on the host.
 *
 * Before anything is done to a path, the sandbox says where it really is, links resolved, and that is compared with the grants. Between this look and the act an agent can put
 * a link in the way; it gains nothing by that, because the act happens inside as well, where nothing is mounted but what was granted and nothing is writable
 * that was granted to be read. The comparison is there to say no in words, and to keep what is in the sandbox besides (`/etc`, `/proc`, `/usr`) out of answers.
 */
import { posix } from 'node:path';
import type { WorkspaceKernel } from '@warren/kernel';
import { isFault } from '@warren/protocol';
import type { Completed, Entry, Sandbox } from '@warren/sandbox';
import { isGranted, type PathGrant } from '../../agent/path-grant.ts';
import { CapabilityError, type HandlerContext } from '../../capability/handler.ts';
import { capabilityErrorOf } from './capability-error-of.ts';

const WORKSPACE = '/workspace';
const PATH_BYTES_MAX = 4_096;
const OUTPUT_BYTES_MAX = 16_777_216;

export type Access = 'r' | 'rw';
export type LocateOptions = {
  /** Where a link as the last name leads; false: the link itself. Default true. */
  readonly followsLast?: boolean | undefined;
};
export type CommandOptions = {
  readonly stdin?: Uint8Array | string | undefined;
  readonly outputBytesMax?: number | undefined;
};

export class AgentFiles {
  readonly sandbox: Sandbox;
  readonly #grants: readonly PathGrant[];
  readonly #signal: AbortSignal;

  private constructor(sandbox: Sandbox, grants: readonly PathGrant[], signal: AbortSignal) {
    this.sandbox = sandbox;
    this.#grants = grants;
    this.#signal = signal;
  }

  /** Of the caller of this call. The context owns the sandbox. */
  static async open(context: HandlerContext): Promise<AgentFiles> {
    const { sandbox } = await context.sandbox();
    return await AgentFiles.of(context.mine, context.actor.pid, sandbox, context.signal);
  }

  /** Of a process, in its sandbox. */
  static async of(mine: Pick<WorkspaceKernel, 'grants'>, pid: number, sandbox: Sandbox, signal: AbortSignal): Promise<AgentFiles> {
    const grants = await mine.grants.find(pid);
    return new AgentFiles(sandbox, grants?.paths ?? [], signal);
  }

  get signal(): AbortSignal {
    return this.#signal;
  }

  /** Prefixes that may be written, the longest first. */
  get writablePrefixes(): readonly string[] {
    const prefixes = this.#grants.filter(({ mode }) => mode === 'rw').map(({ prefix }) => prefix);
    return prefixes.toSorted((a, b) => b.length - a.length);
  }

  isGranted(path: string, access: Access): boolean {
    return isGranted(this.#grants, path, access);
  }

  /** Where it really is. Throws `PathOutOfScope` and `InvalidInput`. */
  async locate(path: string, access: Access, options: LocateOptions = {}): Promise<string> {
    const [real] = await this.locateAll([path], access, options);
    return real as string; // One for each.
  }

  async locateAll(paths: readonly string[], access: Access, { followsLast = true }: LocateOptions = {}): Promise<readonly string[]> {
    const absolute = paths.map(absolutePath);
    const asked = followsLast ? absolute : absolute.map((path) => posix.dirname(path));
    const { exit, stdout } = await this.run(['realpath', '-zm', '--', ...asked]);
    const found = Buffer.from(stdout).toString().split('\0').slice(0, -1);
    const isKnown = exit.kind === 'exited' && exit.code === 0 && found.length === paths.length;
    if (!isKnown) throw outOfScope(paths[0] ?? '', 'it cannot be resolved');
    return found.map((real, index) => {
      const whole = followsLast ? real : posix.join(real, posix.basename(absolute[index] ?? ''));
      if (!this.isGranted(whole, access))
        throw outOfScope(paths[index] ?? '', access === 'r' ? 'it may not be read' : 'it may not be written');
      return whole;
    });
  }

  /** Of a link itself. Undefined when there is nothing. */
  async find(path: string): Promise<Entry | undefined> {
    try {
      return await this.sandbox.stat(path, { signal: this.#signal });
    } catch (error) {
      const isAbsent = isFault(error, 'not_found') || (isFault(error) && detailsOf(error)['errno'] === 'ENOTDIR');
      if (isAbsent) return undefined;
      throw capabilityErrorOf(error, path);
    }
  }

  /** A regular file. Throws `FileNotFound` and `NotAFile`. */
  async file(path: string): Promise<Entry> {
    const entry = await this.find(path);
    if (entry === undefined)
      throw new CapabilityError('FileNotFound', `Cannot use ${quoted(path)}: it does not exist`, { context: contextOf(path) });
    if (entry.kind !== 'file') throw notAFile(path, entry.kind);
    return entry;
  }

  /** A directory. Throws `DirectoryNotFound` and `NotADirectory`. */
  async directory(path: string): Promise<Entry> {
    const entry = await this.find(path);
    if (entry === undefined)
      throw new CapabilityError('DirectoryNotFound', `Cannot use ${quoted(path)}: it does not exist`, { context: contextOf(path) });
    if (entry.kind !== 'directory')
      throw new CapabilityError('NotADirectory', `Cannot use ${quoted(path)}: it is no directory`, { context: contextOf(path) });
    return entry;
  }

  /** What is in a directory. Throws `DirectoryNotFound`, `NotADirectory` and `PermissionDenied`. */
  async list(path: string): Promise<readonly Entry[]> {
    try {
      return await this.sandbox.list(path, { signal: this.#signal });
    } catch (error) {
      throw capabilityErrorOf(error, path, { FileNotFound: 'DirectoryNotFound' });
    }
  }

  /** All of a regular file, of which there is at most `bytesMax`. Throws `FileTooLarge` and what `file` throws. */
  async read(path: string, bytesMax: number): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    try {
      for await (const chunk of this.sandbox.readFile(path, { length: bytesMax + 1, signal: this.#signal })) {
        chunks.push(chunk);
        bytes += chunk.length;
      }
    } catch (error) {
      throw capabilityErrorOf(error, path);
    }
    if (bytes > bytesMax) {
      throw new CapabilityError('FileTooLarge', `Cannot read ${quoted(path)}: it is larger than ${bytesMax} bytes`, {
        context: { ...contextOf(path), limit: bytesMax },
      });
    }
    return Buffer.concat(chunks);
  }

  /** Puts the content in place as a whole; keeps the permissions of what is there. */
  async write(
    path: string,
    content: Uint8Array | string | AsyncIterable<Uint8Array>,
    options: { readonly mode?: number | undefined; readonly exclusive?: boolean | undefined } = {},
  ): Promise<void> {
    const { mode = 0o644, exclusive = false } = options;
    try {
      await this.sandbox.writeFile(path, content, { mode: mode & 0o777, exclusive, signal: this.#signal });
    } catch (error) {
      throw capabilityErrorOf(error, path, { FileNotFound: 'ParentNotFound', NotADirectory: 'ParentNotFound' });
    }
  }

  /** A file or a link itself. Throws `FileNotFound` and `PermissionDenied`. */
  async remove(path: string): Promise<void> {
    try {
      await this.sandbox.remove(path, { signal: this.#signal });
    } catch (error) {
      throw capabilityErrorOf(error, path);
    }
  }

  /** Runs a program of the host's `/usr`. Throws `ResourceExhausted`, `ServiceUnavailable` when there is no such program, and what `signal` was fired with. */
  async run(argv: readonly string[], options: CommandOptions = {}): Promise<Completed> {
    const completed = await this.sandbox.run(argv, {
      cwd: '/',
      env: { LC_ALL: 'C.UTF-8' },
      signal: this.#signal,
      outputBytesMax: options.outputBytesMax ?? OUTPUT_BYTES_MAX,
      ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
    });
    this.#signal.throwIfAborted();
    const { exit } = completed;
    if (exit.kind === 'not_started') {
      throw new CapabilityError('ServiceUnavailable', `Cannot run ${argv[0]}: it is not installed on this machine (${exit.errno})`);
    }
    if (exit.kind === 'stopped' && exit.by !== 'output') {
      throw new CapabilityError('ResourceExhausted', `Cannot go on: ${exit.detail}`, { context: { resource: exit.by } });
    }
    return completed;
  }
}

/** The one absolute form that is compared with grants. Throws `InvalidInput`. */
export function absolutePath(path: string): string {
  if (path.includes('\0') || !path.isWellFormed())
    throw new CapabilityError('InvalidInput', 'Cannot use the path: it holds a NUL or half a character', { context: { field: 'path' } });
  const absolute = posix.resolve(WORKSPACE, path);
  if (Buffer.byteLength(absolute) > PATH_BYTES_MAX) {
    throw new CapabilityError('InvalidInput', `Cannot use the path: it has more than ${PATH_BYTES_MAX} bytes`, {
      context: { field: 'path' },
    });
  }
  return absolute;
}

export function contextOf(path: string): { readonly path: string; readonly parent: string } {
  return { path, parent: posix.dirname(path) };
}

export function quoted(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
}

export function notAFile(path: string, kind: Entry['kind']): CapabilityError {
  return new CapabilityError('NotAFile', `Cannot use ${quoted(path)} as a file: it is a ${kind.replace('_', ' ')}`, {
    context: contextOf(path),
  });
}

function outOfScope(path: string, why: string): CapabilityError {
  return new CapabilityError('PathOutOfScope', `Cannot use ${quoted(path)}: ${why}`, { context: { path } });
}

function detailsOf(fault: { readonly details?: unknown }): Readonly<Record<string, unknown>> {
  return (fault.details ?? {}) as Readonly<Record<string, unknown>>; // Only looked at.
}

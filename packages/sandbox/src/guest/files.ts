/** The file operations of the contract. Each runs in a process of its own behind the walls, so no link of the guest leads the host anywhere. */
import { posix } from 'node:path';
import { Fault } from '@warren/protocol';
import type { Entry, FileOptions, ReadOptions, WriteOptions } from '../contract.ts';
import type { GuestDefaults } from './command-options.ts';
import { FileOperation } from './file-operation.ts';
import { type FileRequest, fileAction } from './file-request.ts';
import type { GuestClient } from './guest-client.ts';
import { type OutputSink, OutputStream } from './output-stream.ts';
import type { Source } from './source-feed.ts';
import { StatRecordDecoder } from './stat-record.ts';

/** What `list` holds at most: a hostile guest could go on for ever. */
export const LIST_ENTRIES_MAX = 250_000;
export const LIST_BYTES_MAX = 67_108_864;
const FILE_MODE = 0o644;
const DIRECTORY_MODE = 0o755;

/**
 * Relative paths start at the default directory of commands. Every method throws `invalid_argument`, `not_found`, `permission_denied`,
 * `already_exists`, `storage_full`, `too_large` and `busy` for what the guest answers, `aborted`, and what ended the sandbox.
 */
export class GuestFiles {
  readonly #client: GuestClient;
  readonly #defaults: GuestDefaults;

  constructor(client: GuestClient, defaults: GuestDefaults) {
    this.#client = client;
    this.#defaults = defaults;
  }

  /** Starts when it is iterated, each time anew. Ending the iteration early stops the read. */
  readFile(path: string, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    const request = { kind: 'read', path: this.#resolve(path), offset: options.offset, length: options.length } as const;
    return { [Symbol.asyncIterator]: () => this.#read(request, options) };
  }

  async writeFile(path: string, content: Source, options: WriteOptions = {}): Promise<void> {
    const { mode = FILE_MODE, append, exclusive } = options;
    if (typeof content !== 'string' && !(content instanceof Uint8Array) && typeof content?.[Symbol.asyncIterator] !== 'function') {
      throw new Fault('invalid_argument', `Cannot write ${JSON.stringify(path)}: the content is neither bytes, text nor a stream of bytes`);
    }
    await this.#start({ kind: 'write', path: this.#resolve(path), mode, append, exclusive }, options, undefined, content).done;
  }

  /** Unsorted. Throws `too_large` for a directory of more than 250,000 entries. */
  async list(path: string, options: FileOptions = {}): Promise<readonly Entry[]> {
    const request = { kind: 'list', path: this.#resolve(path) } as const;
    const entries: Entry[] = [];
    const decoder = new StatRecordDecoder('entry', (entry) => entries.push(entry));
    let bytes = 0;
    const sink: OutputSink = {
      push: (chunk) => {
        bytes += chunk.length;
        decoder.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
        if (entries.length > LIST_ENTRIES_MAX || bytes > LIST_BYTES_MAX) operation.stop(listTooLarge(request));
        return chunk.length;
      },
      end: () => decoder.end(),
      fail: () => {},
    };
    const operation = this.#start(request, options, sink);
    await operation.done;
    return entries;
  }

  /** Of a link itself, unless `follow`. The name is the last component of the path. */
  async stat(path: string, options: FileOptions & { readonly follow?: boolean } = {}): Promise<Entry> {
    const request = { kind: 'stat', path: this.#resolve(path), follow: options.follow } as const;
    let found: Entry | undefined;
    const decoder = new StatRecordDecoder('any', (entry) => {
      if (found !== undefined) throw new Fault('protocol_error', 'Cannot understand what the sandbox says about a file: it says it twice');
      found = entry;
    });
    const sink: OutputSink = {
      push: (chunk) => {
        decoder.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
        return chunk.length;
      },
      end: () => {
        decoder.end();
        if (found === undefined) throw new Fault('protocol_error', 'Cannot understand what the sandbox says about a file: it says nothing');
      },
      fail: () => {},
    };
    await this.#start(request, options, sink).done;
    const entry = found as Entry | undefined; // Set by the decoder, which the compiler does not see.
    if (entry === undefined) throw new Error('the sink let a stat without a record pass');
    return { ...entry, name: posix.basename(request.path) || '/' };
  }

  async remove(path: string, options: FileOptions & { readonly recursive?: boolean } = {}): Promise<void> {
    await this.#start({ kind: 'remove', path: this.#resolve(path), recursive: options.recursive }, options).done;
  }

  async mkdir(path: string, options: FileOptions & { readonly parents?: boolean; readonly mode?: number } = {}): Promise<void> {
    const { mode = DIRECTORY_MODE, parents } = options;
    await this.#start({ kind: 'mkdir', path: this.#resolve(path), mode, parents }, options).done;
  }

  async *#read(request: FileRequest, options: ReadOptions): AsyncGenerator<Uint8Array, undefined> {
    const stream = new OutputStream('stdout');
    const operation = this.#start(request, options, stream);
    stream.owner = operation; // Nothing is pushed before the guest has answered.
    try {
      yield* stream;
      await operation.done;
    } finally {
      operation.stop(new Fault('aborted', `Cannot ${fileAction(request)}: the reader stopped`));
    }
    return undefined;
  }

  #start(request: FileRequest, options: FileOptions, sink?: OutputSink, source?: Source): FileOperation {
    return new FileOperation(this.#client, request, { user: options.user ?? this.#defaults.user, sink, source, signal: options.signal });
  }

  #resolve(path: string): string {
    if (typeof path !== 'string' || path === '') throw new Fault('invalid_argument', 'Cannot use an empty path');
    return path.startsWith('/') ? path : `${this.#defaults.cwd}/${path}`; // Not normalized: ".." behind a link means what the guest says.
  }
}

function listTooLarge(request: FileRequest): Fault<'too_large'> {
  const message = `Cannot ${fileAction(request)}: it has more than ${LIST_ENTRIES_MAX} entries or ${LIST_BYTES_MAX} bytes of names`;
  return new Fault('too_large', message, { details: { entriesMax: LIST_ENTRIES_MAX, bytesMax: LIST_BYTES_MAX } });
}

/**
 * Makes a workspace of an exported one. Nobody finds it before all of it is there; what fails or is cut off in the middle is wiped, by the next start if need be. Whoever knows the passphrase may have written the file, so it is held to its
 * bounds: no path leads out, links are made last, so that nothing is written through one, and rows are those of one workspace, whatever they say.
 */
import { chmod, constants, type FileHandle, mkdir, open, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImportTarget, Kernel, RowBatch, RowValue, SettingsChange } from '@warren/kernel';
import { Fault, type WorkspaceId } from '@warren/protocol';
import { z } from 'zod';
import type { NewMemory } from '../memory/memory.ts';
import type { Memories } from '../memory/open-memories.ts';
import { placeOf } from '../policy/policy-places.ts';
import type { SealCopy } from '../vault/seal-copies.ts';
import type { Vault } from '../vault/vault.ts';
import { decodeSecret } from './secret-record.ts';
import { type Area, areasOf, ENTRIES_MAX, type EntryRecord, FORMAT, KIND, PIECE_BYTES_MAX, RECORD_BYTES_MAX } from './workspace-records.ts';

export type ImportParts = {
  readonly kernel: Kernel;
  readonly memories: Pick<Memories, 'use'>;
  readonly vault: Pick<Vault, 'sealFor'>;
  readonly directory: string;
};

export type ImportOptions = {
  /** Under another name. */
  readonly as?: WorkspaceId | undefined;
  /** Without it those in the file are left out. */
  readonly withSecrets: boolean;
};

export type Imported = { readonly id: WorkspaceId; readonly secrets: number; readonly secretsLeftOut: number };

const SECRETS_MAX = 10_000;
const SEGMENT_BYTES_MAX = 255;
const PATH_BYTES_MAX = 4_096;
const SEGMENTS_MAX = 128;
const SESSION = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}\.jsonl$/;

const head = z.object({
  format: z.literal(FORMAT),
  workspace: z.string(),
  schema: z.int(),
  settings: z.record(z.string(), z.json()),
  secrets: z.boolean().default(false),
});
const value = z.union([z.null(), z.number(), z.string(), z.strictObject({ b: z.base64() })]);
const rows = z.object({ table: z.string().max(64), columns: z.array(z.string().max(64)).max(64), rows: z.array(z.array(value)) });
const entryRecord = z.object({
  area: z.enum(['files', 'sessions', 'policies']),
  path: z.string().max(PATH_BYTES_MAX),
  kind: z.enum(['directory', 'file', 'link']),
  mode: z.int().min(0).max(0o777),
  target: z.string().min(1).max(PATH_BYTES_MAX).optional(),
});
const memories = z.array(z.looseObject({ text: z.string() })).max(1_000);

type Record_ = { readonly kind: number; readonly payload: Buffer };

/**
 * Its secrets are sealed anew, under a key of its own. Faults: `already_exists`, `conflict`, `invalid_argument` (the file), `schema_mismatch` (of another version), `too_large`, and with secrets those of `Vault.sealFor`, before anything is
 * made.
 */
export async function importWorkspace(
  parts: ImportParts,
  content: AsyncIterable<Uint8Array>,
  { as, withSecrets }: ImportOptions,
  parse: (id: string) => WorkspaceId,
): Promise<Imported> {
  await using records = readRecords(content); // What it reads from wipes its key when it ends.
  const first = await records.next();
  if (first.done === true || first.value.kind !== KIND.head) throw damaged('it does not begin as one');
  const said = read(head, first.value.payload);
  const { schemaVersion } = parts.kernel.store;
  if (said.schema !== schemaVersion)
    throw new Fault(
      'schema_mismatch',
      `Cannot import the workspace: it is of a store of version ${said.schema}, and this one is ${schemaVersion}`,
      {
        details: { expected: schemaVersion, found: said.schema },
      },
    );
  const id = as ?? parse(said.workspace);
  const fill = async (seal: SealCopy | undefined): Promise<Imported> => {
    const counts = { secrets: 0, secretsLeftOut: 0 };
    const keep = async (payload: Buffer, into: ImportTarget): Promise<void> => {
      const copy = said.secrets ? decodeSecret(payload) : undefined;
      if (copy === undefined) throw damaged('a secret is not as it should be');
      if (counts.secrets + counts.secretsLeftOut === SECRETS_MAX) throw tooMany('secrets', SECRETS_MAX);
      if (seal === undefined) counts.secretsLeftOut++;
      else {
        await into.secrets(seal(copy));
        counts.secrets++;
      }
      payload.fill(0);
    };
    // Settings are checked where they are merged.
    await parts.kernel.workspaces.import(id, said.settings as SettingsChange, async (into) => {
      const importer = new Importer({ ...parts, id, into, keepSecret: (payload) => keep(payload, into) });
      await importer.take({ [Symbol.asyncIterator]: () => records });
    });
    return { id, ...counts };
  };
  return await (said.secrets && withSecrets ? parts.vault.sealFor(id, fill) : fill(undefined));
}

type ImporterParts = Omit<ImportParts, 'vault'> & {
  readonly id: WorkspaceId;
  readonly into: ImportTarget;
  readonly keepSecret: (payload: Buffer) => Promise<void>;
};

class Importer {
  readonly #parts: ImporterParts;
  readonly #roots: ReadonlyMap<Area, string>;
  readonly #modes: { readonly path: string; readonly mode: number }[] = [];
  readonly #links: { readonly path: string; readonly target: string }[] = [];
  #file: { readonly handle: FileHandle; readonly mode: number } | undefined;
  #entries = 0;

  constructor(parts: ImporterParts) {
    this.#parts = parts;
    this.#roots = new Map(areasOf(parts.directory, parts.id));
  }

  async take(records: AsyncIterable<Record_>): Promise<void> {
    let count = 1;
    let isEnded = false;
    try {
      for await (const { kind, payload } of records) {
        if (isEnded) throw damaged('something follows its end');
        if (kind !== KIND.piece) await this.#closeFile();
        if (kind === KIND.rows) await this.#parts.into.rows(toBatch(read(rows, payload)));
        else if (kind === KIND.secret) await this.#parts.keepSecret(payload);
        else if (kind === KIND.memories) await this.#store(read(memories, payload));
        else if (kind === KIND.entry) await this.#enter(read(entryRecord, payload));
        else if (kind === KIND.piece) await this.#append(payload);
        else if (kind === KIND.end) isEnded = read(z.object({ records: z.int() }), payload).records === count;
        else throw damaged('it has a record that this version does not know');
        count++;
      }
    } finally {
      await this.#file?.handle.close();
    }
    if (!isEnded) throw damaged('it is not whole');
    for (const { path, target } of this.#links) await symlink(target, path);
    for (const { path, mode } of this.#modes.toReversed()) await chmod(path, mode);
  }

  async #store(entries: readonly { readonly text: string }[]): Promise<void> {
    await this.#parts.memories.use(this.#parts.id, (memory) => memory.store(entries as readonly NewMemory[])); // It checks each.
  }

  async #enter({ area, path, kind, mode, target }: EntryRecord): Promise<void> {
    if (++this.#entries > ENTRIES_MAX) throw tooMany('files', ENTRIES_MAX);
    checkPath(area, path, kind);
    const root = this.#roots.get(area) ?? '';
    const full = join(root, path);
    if (!path.includes('/')) await mkdir(root, { recursive: true, mode: 0o700 });
    if (kind === 'link') {
      if (target === undefined || target.includes('\0')) throw damaged(`link ${JSON.stringify(path)} leads nowhere`);
      this.#links.push({ path: full, target });
      return;
    }
    if (kind === 'directory') {
      await mkdir(full, { mode: 0o700 }).catch(refuse(path));
      this.#modes.push({ path: full, mode });
      return;
    }
    const handle = await open(full, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW, 0o600).catch(
      refuse(path),
    );
    this.#file = { handle, mode };
  }

  async #append(payload: Buffer): Promise<void> {
    if (this.#file === undefined || payload.length > PIECE_BYTES_MAX) throw damaged('a piece belongs to no file');
    await this.#file.handle.writeFile(payload);
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.handle.chmod(file.mode);
    await file?.handle.close();
  }
}

/** Each record, none longer than it may be. */
async function* readRecords(content: AsyncIterable<Uint8Array>): AsyncGenerator<Record_, void> {
  let held = Buffer.alloc(0);
  try {
    for await (const bytes of content) {
      const before = held;
      held = Buffer.concat([held, bytes]);
      before.fill(0); // There may be secrets in it.
      while (held.length >= 5) {
        const length = held.readUInt32BE(0);
        if (length > RECORD_BYTES_MAX) throw damaged(`a record claims ${length} bytes`);
        if (held.length < 5 + length) break;
        yield { kind: held[4] ?? 0, payload: held.subarray(5, 5 + length) };
        held = held.subarray(5 + length);
      }
    }
    if (held.length > 0) throw damaged('its last record is cut off');
  } finally {
    held.fill(0);
  }
}

function checkPath(area: Area, path: string, kind: EntryRecord['kind']): void {
  const segments = path.split('/');
  const isPlain = (name: string): boolean =>
    name !== '' && name !== '.' && name !== '..' && !name.includes('\0') && Buffer.byteLength(name) <= SEGMENT_BYTES_MAX;
  if (segments.length > SEGMENTS_MAX || !segments.every(isPlain))
    throw damaged(`${JSON.stringify(path.slice(0, 80))} is no path within it`);
  if (area === 'sessions' && (kind !== 'file' || !SESSION.test(path))) throw damaged(`${JSON.stringify(path.slice(0, 80))} is no session`);
  if (
    area === 'policies' &&
    !(kind === 'directory' && path === 'agents') &&
    (kind !== 'file' || placeOf(`workspaces/x/${path}`) === undefined)
  )
    throw damaged(`${JSON.stringify(path.slice(0, 80))} is no policy`);
}

function toBatch({ table, columns, rows: all }: z.output<typeof rows>): RowBatch {
  return {
    table,
    columns,
    rows: all.map((row) => row.map((each): RowValue => (typeof each === 'object' && each !== null ? Buffer.from(each.b, 'base64') : each))),
  };
}

function read<T>(schema: z.ZodType<T>, payload: Buffer): T {
  let json: unknown;
  try {
    json = JSON.parse(payload.toString());
  } catch {
    throw damaged('a record is no JSON');
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw damaged(`a record is not as it should be: ${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}`);
}

/** Its directory was not made before it, or it is there twice. */
function refuse(path: string) {
  return (error: NodeJS.ErrnoException): never => {
    if (error.code === 'ENOSPC' || error.code === 'EDQUOT')
      throw new Fault('storage_full', 'Cannot import the workspace: the disk is full', { cause: error });
    throw damaged(`${JSON.stringify(path.slice(0, 80))} cannot be made (${error.code})`);
  };
}

function tooMany(what: string, max: number): Fault {
  return new Fault('too_large', `Cannot import the workspace: it has more than ${max} ${what}`);
}

function damaged(why: string): Fault {
  return new Fault('invalid_argument', `Cannot import the workspace: ${why}`, { details: { file: 'damaged' } });
}

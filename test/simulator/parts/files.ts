import { createHash, hash } from 'node:crypto';
import type { EventRecord, FileStat, FileVersion } from '@warren/kernel';
import type { Random } from '@warren/kernel/testing';
import type { Asking, Known, Model, Observing, Part, Told } from '../part.ts';
import { abortSoon } from '../waiting.ts';
import { optional, somePid } from './processes.ts';

const PATHS = ['/memory/a', '/memory/a/b', '/task'] as const;
const VERSIONS = 3;
/** Bodies from here on are kept once. */
const SHARED_BYTES_MIN = 4_096;
/** A large body is kept in pieces, and a very large one written in several transactions. */
const SIZES = [0, 3, 100, 5_000, 300_000, 1_400_000] as const;
const LARGE = 4;
const PIECE_BYTES = 150_000;

/** All bodies there are, made when they are first needed. */
const BODIES = new Map<string, Uint8Array>();

function bodyOf(size: number, n: number): Uint8Array {
  const key = `${size}:${n}`;
  const body = BODIES.get(key) ?? new Uint8Array(size).fill(97 + n);
  BODIES.set(key, body);
  return body;
}

/** What a file is written with follows from its content. */
function metadataOf(contentHash: string): { readonly of: string } {
  return { of: contentHash.slice(0, 4) };
}

/** A version, or a deletion. */
type Version = Omit<FileStat, 'accessedAt' | 'path' | 'metadata'> & {
  readonly writer: number | undefined;
  readonly writtenAt: number;
  /** What is kept for it, undefined for a deletion: two with the same have one body. */
  readonly body: string | undefined;
};
type File = { readonly current: Version | undefined; readonly past: readonly Version[] };
const NONE: File = { current: undefined, past: [] };

class FileModel implements Model {
  readonly #known: Known;
  readonly #all = new Map<string, File>();
  #bodies = 0;
  readonly #hearers: Readonly<Record<string, (event: EventRecord, file: File) => File>> = {
    'kernel.file.written': (event, file) => this.#write(event, file),
    'kernel.file.restored': (event, file) => this.#restore(event, file),
    'kernel.file.deleted': (event, file) => this.#delete(event, file),
    'kernel.file.mode_set': setMode,
    'kernel.file.purged': purge,
  };

  constructor(known: Known) {
    this.#known = known;
  }

  hear(event: EventRecord): void {
    if (!event.kind.startsWith('kernel.file.')) return;
    const path = String(event.payload['path']);
    const hearer = this.#hearers[event.kind];
    if (hearer === undefined) throw new Error(`Unheard of: ${event.kind}`);
    this.#all.set(path, hearer(event, this.#all.get(path) ?? NONE));
  }

  state() {
    const sorted = [...this.#all].toSorted(([one], [other]) => (one < other ? -1 : 1));
    const current = sorted.flatMap(([path, file]) => (file.current === undefined ? [] : [toStat(path, file.current)]));
    const versions = PATHS.map((path) => toHistory(this.#all.get(path) ?? NONE));
    const bodies = new Map(sorted.flatMap(([, file]) => all(file).map(({ body, size }) => [body, size] as const)));
    const usedBytes = [...bodies.values()].reduce((sum, size) => sum + size, 0);
    const totals = { count: current.length, bytes: current.reduce((sum, { size }) => sum + size, 0) };
    return { current, versions, usedBytes, totals, unnamed: [] };
  }

  #write(event: EventRecord, file: File): File {
    const { pid = 0, payload } = event;
    const contentHash = String(payload['hash']);
    const isShared = Number(payload['size']) >= SHARED_BYTES_MIN;
    return this.#put(event, file, { owner: pid, body: isShared ? `hash ${contentHash}` : `${++this.#bodies}` });
  }

  #restore(event: EventRecord, file: File): File {
    const { payload } = event;
    const restored = all(file).find(({ version }) => version === payload['restored_version']);
    if (restored?.body === undefined) throw new Error(`Version ${payload['restored_version']} was restored, and is not there`);
    if (restored.hash !== payload['hash']) throw new Error(`Version ${restored.version} changed before it was restored`);
    return this.#put(event, file, restored);
  }

  #put({ pid = 0, at, payload }: EventRecord, file: File, { owner, body }: Pick<Version, 'owner' | 'body'>): File {
    const before = file.current;
    if (before?.mode === 'ro') throw new Error(`${payload['path']} was written, and is ro`);
    const put: Version = {
      ...{ version: this.#next(payload, file), owner: before?.owner ?? owner, writer: pid, body },
      ...{ size: Number(payload['size']), hash: String(payload['hash']), mode: payload['mode'] as FileStat['mode'] }, // A wrong one differs from what is held.
      ...{ createdAt: before?.createdAt ?? at, updatedAt: at, writtenAt: at },
    };
    return this.#forget({ current: put, past: before === undefined ? file.past : [...file.past, before] });
  }

  #delete({ pid, at, payload }: EventRecord, file: File): File {
    const before = file.current;
    if (before === undefined) throw new Error(`${payload['path']} was deleted, and is not there`);
    const version = this.#next(payload, file);
    const deletion: Version = { ...before, version, writer: pid, size: 0, hash: '', writtenAt: at, body: undefined };
    return this.#forget({ current: undefined, past: [...file.past, before, deletion] });
  }

  #next(payload: EventRecord['payload'], file: File): number {
    const next = (all(file).at(-1)?.version ?? 0) + 1;
    if (payload['version'] !== next) throw new Error(`${payload['path']} got version ${payload['version']}, not ${next}`);
    return next;
  }

  /** The oldest versions beyond the limit. */
  #forget(file: File): File {
    const newest = all(file).at(-1)?.version ?? 0;
    return { ...file, past: file.past.filter(({ version }) => version > newest - this.#known.limits.fileVersionsMax) };
  }
}

function all({ past, current }: File): readonly Version[] {
  return current === undefined ? past : [...past, current];
}

function setMode({ at, payload }: EventRecord, { current, past }: File): File {
  if (current === undefined) throw new Error(`${payload['path']} got a mode, and is not there`);
  const mode = payload['mode'] as FileStat['mode']; // A wrong one differs from what is held.
  return { current: { ...current, mode, updatedAt: at }, past };
}

function purge({ payload }: EventRecord, { current, past }: File): File {
  const count = Number(payload['versions']);
  if (count > past.length) throw new Error(`${count} of ${past.length} versions were purged`);
  return { current, past: past.slice(count) };
}

function toStat(path: string, { owner, size, mode, version, hash: contentHash, createdAt, updatedAt }: Version) {
  return { path, owner, size, mode, metadata: metadataOf(contentHash), version, hash: contentHash, createdAt, updatedAt };
}

function toHistory(file: File): readonly FileVersion[] {
  const newestFirst = all(file).toReversed();
  return newestFirst.map(({ version, size, hash: contentHash, writtenAt, writer, body }) => {
    return { version, size, hash: contentHash, writtenAt, writer, isDeletion: body === undefined };
  });
}

export const files: Part = {
  name: 'files',
  weight: 2,

  asks: [
    write,
    write,
    write,
    write,
    async (asking) => {
      const { mine, random } = asking;
      const path = random.pick(PATHS);
      const writer = random.chance(0.5) ? somePid(asking) : undefined;
      const wasThere = await mine.files.delete(path, { writer, expectedVersion: someVersion(random) });
      return wasThere ? [{ kind: 'kernel.file.deleted', pid: writer, payload: { path } }] : [];
    },
    async ({ mine, random }) => {
      await mine.files.setMode(random.pick(PATHS), random.pick(['rw', 'rw', 'ro']));
      return []; // It may have been so before.
    },
    async (asking) => {
      const { mine, random } = asking;
      const [path, pid, restored] = [random.pick(PATHS), somePid(asking), 1 + random.below(VERSIONS)];
      const { version } = await mine.files.restore(pid, path, restored);
      return [{ kind: 'kernel.file.restored', pid, payload: { path, version, restored_version: restored } }];
    },
    async ({ mine, random }) => {
      const [path, keep] = [random.pick(PATHS), random.below(3)];
      const purged = random.chance(0.4) ? await mine.files.purgeHistory(path, keep) : 0;
      return purged > 0 ? [{ kind: 'kernel.file.purged', payload: { path, versions: purged } }] : [];
    },
    async (asking) => {
      const pid = somePid(asking);
      const deleted = asking.random.chance(0.2) ? await asking.mine.files.deleteOwned(pid) : 0;
      return deleted > 0 ? [{ kind: 'kernel.file.deleted', pid }] : [];
    },
    read,
    outlive,
  ],

  createModel: (known) => new FileModel(known),

  async observe({ mine, kernel, isUntroubled, summary }) {
    const { files: listed, total } = await mine.files.list({}, { limit: 100 });
    if (total !== listed.length) throw new Error(`${total} files are counted, ${listed.length} are there`);
    const current = listed.map(({ accessedAt: _accessedAt, ...stat }) => stat);
    const versions = await Promise.all(PATHS.map((path) => mine.files.history(path)));
    await checkBodies(mine, versions);
    const { usedBytes, unnamed } = await kernel.store
      .workspace(mine.id)
      .read((transaction) => ({ usedBytes: transaction.files.usedBytes(), unnamed: transaction.files.listUnnamed(0, 10) }));
    return { current, versions, usedBytes, totals: summary.files, unnamed: isUntroubled ? unnamed : [] };
  },
};

/** The newest body that is past or current, of each path. */
async function checkBodies(mine: Observing['mine'], histories: readonly (readonly FileVersion[])[]): Promise<void> {
  for (const [index, versions] of histories.entries()) {
    const path = PATHS[index] ?? '';
    const newest = versions.find(({ isDeletion }) => !isDeletion);
    if (newest === undefined) continue;
    const { content } = await mine.files.read(path, { version: newest.version });
    if (hash('sha256', content) !== newest.hash) throw new Error(`${path} has another body than its hash says`);
  }
}

async function write(asking: Asking): Promise<readonly Told[]> {
  const { mine, random } = asking;
  const [pid, path, n] = [somePid(asking), random.pick(PATHS), random.below(3)];
  const body = bodyOf(SIZES[random.below(random.chance(0.05) ? SIZES.length : LARGE)] ?? 0, n);
  const contentHash = hash('sha256', body);
  const expectedVersion = someVersion(random);
  const file = { path, metadata: metadataOf(contentHash), ifAbsent: random.chance(0.1), expectedVersion };
  const mode = random.chance(0.1) ? 'ro' : 'rw';
  const content = random.chance(0.2) ? inPieces(body) : body;
  const { version } = await mine.files.write(pid, { ...file, mode }, content, abortSoon(random));
  if ((expectedVersion ?? 0) > 0 && version !== Number(expectedVersion) + 1)
    throw new Error(`${path} was written over a version nobody expected`);
  return [{ kind: 'kernel.file.written', pid, payload: { path, version, hash: contentHash } }];
}

/** As a slow source gives them. */
async function* inPieces(body: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let offset = 0; offset < body.length; offset += PIECE_BYTES) {
    yield body.subarray(offset, offset + PIECE_BYTES);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Reads a large body that loses its name meanwhile. */
async function outlive(asking: Asking): Promise<readonly Told[]> {
  const { mine, random } = asking;
  const [pid, path, written] = [somePid(asking), random.pick(PATHS), bodyOf(SIZES[LARGE], random.below(3))];
  if (random.chance(0.5)) return []; // It takes long.
  const { hash: contentHash } = await mine.files.write(pid, { path, metadata: metadataOf(hash('sha256', written)) }, written);
  await using body = await mine.files.open(path);
  await mine.files.delete(path);
  await mine.files.purgeHistory(path);
  const found = createHash('sha256');
  for await (const piece of body.content) {
    found.update(piece);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  if (body.stat.hash === contentHash && found.digest('hex') !== contentHash) throw new Error(`${path} changed while it was read`);
  return [];
}

/** Slowly, while others write, delete and purge; now and then not to the end. */
async function read({ mine, random }: Asking): Promise<readonly Told[]> {
  const [path, version, isWhole] = [random.pick(PATHS), random.chance(0.5) ? 1 + random.below(VERSIONS) : undefined, random.chance(0.8)];
  await using body = await mine.files.open(path, { version });
  const found = createHash('sha256');
  for await (const piece of body.content) {
    found.update(piece);
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (!isWhole) return [];
  }
  if (found.digest('hex') !== body.stat.hash) throw new Error(`${path} was read, and is not what its hash says`);
  return [];
}

function someVersion(random: Random): number | undefined {
  return optional(random.find([undefined, undefined, undefined, random.below(VERSIONS)]));
}

import { DEFAULT_WORKSPACE, isFault } from '@warren/protocol';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { WorkspaceKernel } from '../kernel.ts';
import { SHARED_BYTES_MIN } from '../store/tables/file-table.ts';
import { openTestKernel, type TestKernel } from '../test-support/open-test-kernel.ts';

const VERSIONS_MAX = 4;
const PIDS = [1, 2];
const PATHS = ['/a', '/a/b'];

/** A body of the model: an object is a body, so two versions share one by naming the same object. */
type Body = { readonly content: string };
type Version = {
  readonly version: number;
  readonly writer: number | undefined;
  readonly owner: number;
  readonly body: Body | undefined;
  readonly label: number;
};
type Model = Map<string, { readonly versions: Version[]; mode: 'rw' | 'ro' }>;

/** Small, tiny and large ones, and few of each, so that the same is written again. */
const contents = fc.tuple(fc.constantFrom(0, 1, 100, SHARED_BYTES_MIN, 300_000), fc.nat(2)).map(([size, seed]) => `${seed}`.repeat(size));

type Operation =
  | { readonly kind: 'write'; readonly pid: number; readonly path: string; readonly content: string; readonly label: number; readonly mode: 'rw' | 'ro'; readonly ifAbsent: boolean; readonly expected: number | undefined } // biome-ignore format: one line
  | { readonly kind: 'delete'; readonly path: string; readonly expected: number | undefined }
  | { readonly kind: 'restore'; readonly pid: number; readonly path: string; readonly back: number }
  | { readonly kind: 'setMode'; readonly path: string; readonly mode: 'rw' | 'ro' }
  | { readonly kind: 'purgeHistory'; readonly path: string; readonly keep: number }
  | { readonly kind: 'deleteOwned'; readonly pid: number }
  | { readonly kind: 'reopen' };

const path = fc.constantFrom(...PATHS);
const pid = fc.constantFrom(...PIDS);
const mode = fc.nat(6).map((n) => (n === 0 ? ('ro' as const) : ('rw' as const)));
const expected = fc.option(fc.nat(4), { nil: undefined, freq: 4 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('write' as const), pid, path, content: contents, label: fc.nat(3), mode, ifAbsent: fc.nat(5).map((n) => n === 0), expected }) }, // biome-ignore format: one line
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), path, expected }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('restore' as const), pid, path, back: fc.nat(VERSIONS_MAX - 1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('setMode' as const), path, mode }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('purgeHistory' as const), path, keep: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deleteOwned' as const), pid }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
);

const currentOf = (model: Model, path: string): Version | undefined => {
  const newest = model.get(path)?.versions.at(-1);
  return newest?.body === undefined ? undefined : newest;
};

/** The newest is none back. */
function versionBack(model: Model, { path, back }: { readonly path: string; readonly back: number }): number {
  return (model.get(path)?.versions.at(-1)?.version ?? 0) - back;
}

function sharedBody(model: Model, content: string): Body {
  const all = [...model.values()].flatMap(({ versions }) => versions.map(({ body }) => body));
  const known = content.length < SHARED_BYTES_MIN ? undefined : all.find((body) => body?.content === content);
  return known ?? { content };
}

function add(model: Model, path: string, version: Omit<Version, 'version'>, mode: 'rw' | 'ro'): void {
  const file = model.get(path) ?? { versions: [], mode };
  file.versions.push({ ...version, version: (file.versions.at(-1)?.version ?? 0) + 1 });
  file.versions.splice(0, file.versions.length - VERSIONS_MAX);
  file.mode = mode;
  model.set(path, file);
}

function remove(model: Model, path: string, writer: number | undefined): void {
  add(model, path, { writer, owner: currentOf(model, path)?.owner ?? 0, body: undefined, label: 0 }, 'rw');
}

/** What the operation answers, or the code of its fault. */
function applyToModel(model: Model, operation: Operation): unknown {
  switch (operation.kind) {
    case 'write': {
      const { path, pid, content, label, mode, ifAbsent, expected } = operation;
      const current = currentOf(model, path);
      if (ifAbsent && current !== undefined) return 'file_exists';
      if (expected !== undefined && expected !== (current?.version ?? 0)) return 'conflict';
      if (current !== undefined && model.get(path)?.mode === 'ro') return 'file_read_only';
      add(model, path, { writer: pid, owner: current?.owner ?? pid, body: sharedBody(model, content), label }, mode);
      return model.get(path)?.versions.at(-1)?.version;
    }
    case 'delete': {
      const current = currentOf(model, operation.path);
      if (operation.expected !== undefined && operation.expected !== (current?.version ?? 0)) return 'conflict';
      if (current !== undefined) remove(model, operation.path, undefined);
      return current !== undefined;
    }
    case 'restore': {
      const { path, pid } = operation;
      const version = versionBack(model, operation);
      const past = model.get(path)?.versions.find((each) => each.version === version && each.body !== undefined);
      if (past === undefined) return 'file_not_found';
      const current = currentOf(model, path);
      const mode = current === undefined ? 'rw' : (model.get(path)?.mode ?? 'rw');
      if (mode === 'ro') return 'file_read_only';
      add(model, path, { ...past, writer: pid, owner: current?.owner ?? past.owner }, mode);
      return model.get(path)?.versions.at(-1)?.version;
    }
    case 'setMode': {
      const file = model.get(operation.path);
      if (file === undefined || currentOf(model, operation.path) === undefined) return 'file_not_found';
      file.mode = operation.mode;
      return operation.mode;
    }
    case 'purgeHistory': {
      const { path, keep } = operation;
      const versions = model.get(path)?.versions ?? [];
      const past = versions.length - (currentOf(model, path) === undefined ? 0 : 1);
      const purged = Math.max(0, past - keep);
      versions.splice(0, purged);
      if (versions.length === 0) model.delete(path);
      return purged;
    }
    case 'deleteOwned': {
      const owned = PATHS.filter((path) => currentOf(model, path)?.owner === operation.pid);
      for (const path of owned) remove(model, path, operation.pid);
      return owned.length;
    }
    case 'reopen':
      return undefined;
  }
}

async function applyToKernel(under: TestKernel, operation: Operation, before: Model): Promise<unknown> {
  const { files } = under.mine;
  switch (operation.kind) {
    case 'write': {
      const { pid, content, label, expected, ...file } = operation;
      return (await files.write(pid, { ...file, metadata: { label }, expectedVersion: expected }, Buffer.from(content))).version;
    }
    case 'delete':
      return await files.delete(operation.path, { expectedVersion: operation.expected });
    case 'restore':
      return (await files.restore(operation.pid, operation.path, versionBack(before, operation))).version;
    case 'setMode':
      return (await files.setMode(operation.path, operation.mode)).mode;
    case 'purgeHistory':
      return await files.purgeHistory(operation.path, operation.keep);
    case 'deleteOwned':
      return await files.deleteOwned(operation.pid);
    case 'reopen':
      return await under.reopen();
  }
}

async function expectSameList({ files }: WorkspaceKernel, model: Model): Promise<void> {
  const current = PATHS.flatMap((path) => {
    const version = currentOf(model, path);
    return version === undefined ? [] : [{ path, version, mode: model.get(path)?.mode }];
  });
  expect(await files.list()).toMatchObject({
    total: current.length,
    files: current.map(({ path, version, mode }) => ({ path, mode, version: version.version, owner: version.owner, size: version.body?.content.length, metadata: { label: version.label } })), // biome-ignore format: one line
  });
}

async function expectSameVersions({ files }: WorkspaceKernel, model: Model): Promise<void> {
  for (const path of PATHS) {
    const versions = model.get(path)?.versions.toReversed() ?? [];
    expect(await files.history(path)).toMatchObject(
      versions.map(({ version, writer, body }) => ({ version, writer, size: body?.content.length ?? 0, isDeletion: body === undefined })),
    );
    for (const { version, body } of versions) {
      if (body === undefined) continue;
      expect(Buffer.from((await files.read(path, { version })).content).toString()).toBe(body.content);
    }
  }
}

it('files are what a plain map of versions says, whatever is done in whatever order', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 10, maxLength: 50, size: 'max' }), async (operations) => {
      await using under = await openTestKernel();
      const { retention } = (await under.kernel.workspaces.get(DEFAULT_WORKSPACE)).settings;
      await under.kernel.workspaces.update(DEFAULT_WORKSPACE, { retention: { ...retention, fileVersionsMax: VERSIONS_MAX } });
      for (const name of PIDS) await under.mine.processes.create({ name: `${name}`, template: 't' });
      const model: Model = new Map();
      for (const operation of operations) {
        const done = await applyToKernel(under, operation, model).catch((error: unknown) => {
          if (isFault(error)) return error.code;
          throw error;
        });
        expect(done).toEqual(applyToModel(model, operation));
        await expectSameList(under.mine, model);
      }
      await expectSameVersions(under.mine, model);
      await under.kernel.purger.purge();
      const bodies = new Set([...model.values()].flatMap(({ versions }) => versions.map(({ body }) => body)));
      const left = await under.kernel.store.workspace(DEFAULT_WORKSPACE).read(({ files }) => [files.usedBytes(), files.listUnnamed(0, 10)]);
      expect(left).toEqual([[...bodies].reduce((sum, body) => sum + (body?.content.length ?? 0), 0), []]);
    }),
    { numRuns: 30 },
  );
});

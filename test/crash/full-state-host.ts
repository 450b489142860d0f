/**
 * What a tenant meets when the disk that its state is on is full: everything that writes says so by its fault and leaves what was there, what reads goes on, and with room again all of it works. Started in a mount namespace of its
 * own, with the state directory on a small file system.
 */
import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { openKernel } from '@warren/kernel';
import { openPlatform } from '@warren/platform';
import { isFault, parseWorkspaceId } from '@warren/protocol';

const [room = '', elsewhere = ''] = process.argv.slice(2);
const directory = `${room}/state`;
const ballast = `${room}/ballast`;
const ACME = parseWorkspaceId('acme');
const { signal } = new AbortController();
const LONG = 'x'.repeat(60_000);
const ATTEMPTS_MAX = 2_000;

async function open() {
  const owned = new AsyncDisposableStack();
  const kernel = owned.use(await openKernel({ directory }));
  const openSandboxes = () => Promise.reject(new Error('There are none here'));
  const platform = owned.use(await openPlatform({ kernel, directory, isWatching: false, openSandboxes }));
  return { kernel, platform, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

type State = Awaited<ReturnType<typeof open>>;

/** Each writes something of this number, and can say which there are. */
const KINDS: Readonly<
  Record<string, { write(state: State, number: number): Promise<unknown>; read(state: State): Promise<readonly number[]> }>
> = {
  events: {
    write: ({ kernel }, number) => kernel.workspace(ACME).events.append({ pid: 1, kind: 'note', payload: { number, LONG } }),
    async read({ kernel }) {
      const { events } = await kernel.workspace(ACME).events.tail({ kind: 'note', limit: 1_000 });
      return events.map(({ payload }) => Number(payload['number']));
    },
  },
  secrets: {
    write: ({ platform }, number) => platform.secrets(ACME).set(`secret-${number}`, `${LONG}${number}`),
    async read({ platform }) {
      const found: number[] = [];
      for await (const { name, bytes } of platform.secrets(ACME).values()) {
        assert.equal(Buffer.from(bytes).toString(), `${LONG}${name.slice(7)}`);
        found.push(Number(name.slice(7)));
      }
      return found;
    },
  },
  memories: {
    write: ({ platform }, number) =>
      platform.memories.use(ACME, (memory) => memory.store([{ text: `number${number} ${LONG.slice(0, 20_000)}` }])),
    async read({ platform }) {
      const found = await platform.memories.use(ACME, (memory) => memory.list({ limit: 1_000 }));
      return found.map(({ text }) => Number(/^number(\d+)/.exec(text)?.[1]));
    },
  },
  sessions: {
    write: ({ platform }, number) =>
      platform.sessions.use(ACME, async (sessions) =>
        (await sessions.open('chat')).append([{ type: 'message', role: 'user', content: { number, LONG } }]),
      ),
    read: ({ platform }) =>
      platform.sessions.use(ACME, async (sessions) =>
        (await sessions.open('chat'))
          .path()
          .flatMap((entry) => (entry.type === 'message' ? [Number((entry.content as { readonly number: number }).number)] : [])),
      ), // As it was written.
  },
  'new sessions': {
    write: ({ platform }, number) =>
      platform.sessions.use(ACME, (sessions) => sessions.create(`new-${number}`, { title: LONG.slice(0, 1_000) })),
    read: ({ platform }) =>
      platform.sessions.use(ACME, async (sessions) =>
        (await sessions.list({ limit: 1_000 })).flatMap(({ id }) => (id.startsWith('new-') ? [Number(id.slice(4))] : [])),
      ),
  },
  skills: {
    async write({ platform }, number) {
      const source = `${elsewhere}/skill-${number}`;
      mkdirSync(source, { recursive: true });
      writeFileSync(`${source}/SKILL.md`, `---\nname: skill-${number}\ndescription: x\n---\n`);
      writeFileSync(`${source}/execute.sh`, LONG);
      await platform.skills.add(source, signal);
    },
    async read({ platform }) {
      const skills = await platform.skills.list();
      assert.ok(skills.every(({ state }) => state === 'approved'));
      return skills.map(({ id }) => Number(id.slice(6)));
    },
  },
};

/** To the last byte. */
function fill(): void {
  const file = openSync(ballast, 'a');
  try {
    for (const bytes of [65_536, 4_096, 1]) for (;;) writeSync(file, Buffer.alloc(bytes));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error; // What write throws has a code.
  } finally {
    closeSync(file);
  }
}

const sorted = (numbers: readonly number[]): readonly number[] => numbers.toSorted((one, other) => one - other);
const stray = (): readonly string[] => readdirSync(directory, { recursive: true }).map(String).filter((path) => /\.(?:new|old|tmp)|\.[0-9a-f]{12}$/.test(path)); // biome-ignore format: one line

const failure = (work: Promise<unknown>): Promise<unknown> => work.then(() => undefined, (thrown: unknown) => thrown); // biome-ignore format: one line

const kept = new Map<string, number[]>(Object.keys(KINDS).map((kind) => [kind, []]));
{
  await using state = await open();
  await state.kernel.workspaces.create(ACME);
  await state.kernel.workspace(ACME).processes.create({ name: 'one', template: 't' });
  await state.platform.sessions.use(ACME, (sessions) => sessions.create('chat'));
  fill();
  const unmade = await failure(state.platform.secrets(ACME).set('first', 'x'));
  assert.ok(isFault(unmade, 'storage_full'), `a vault: ${unmade instanceof Error ? unmade.stack : String(unmade)}`);
  assert.deepEqual(stray(), []);
  rmSync(ballast);
  for (const [kind, { write }] of Object.entries(KINDS)) {
    await write(state, 0);
    kept.get(kind)?.push(0);
  }
  for (const [kind, { write, read }] of Object.entries(KINDS)) {
    // What it has room for in files that it made longer before is taken; then comes the end.
    for (let number = 1; ; number++) {
      fill();
      assert.ok(number < ATTEMPTS_MAX, `${kind} never meets a full disk`);
      const error = await failure(write(state, number));
      if (error === undefined) {
        kept.get(kind)?.push(number);
        continue;
      }
      assert.ok(isFault(error, 'storage_full'), `${kind}: ${error instanceof Error ? error.stack : String(error)}`);
      break;
    }
    assert.deepEqual(sorted(await read(state)), kept.get(kind), `${kind} are there while the disk is full`);
  }
  fill();
  const { skills, vault } = state.platform;
  writeFileSync(`${elsewhere}/skill-0/execute.sh`, `${LONG}another`);
  for (const [what, work] of [
    ['a skill', skills.add(`${elsewhere}/skill-0`, signal)],
    ['enabling one', skills.enable(ACME, 'skill-0')],
    ['a passphrase', vault.changeKey({ passphrase: 'another horse' })],
  ] as const)
    assert.ok(isFault(await failure(work), 'storage_full'), `${what} is not changed: ${await failure(work)}`);
  assert.deepEqual([(await skills.get('skill-0')).state, await skills.enabledIn(ACME)], ['approved', []]);
  assert.deepEqual(stray(), []);
  rmSync(ballast);
  for (const [kind, { write }] of Object.entries(KINDS)) {
    await write(state, 9_999);
    kept.get(kind)?.push(9_999);
  }
}
await using again = await open();
for (const [kind, { read }] of Object.entries(KINDS)) assert.deepEqual(sorted(await read(again)), kept.get(kind), `${kind} after a start`);
assert.deepEqual(await again.kernel.store.check(), []);
assert.deepEqual(stray(), []);
console.log('full state: done');

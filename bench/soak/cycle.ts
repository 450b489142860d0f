/** Lives of a sandbox, short and long, good and bad, each to its very end. */
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isFault } from '@warren/protocol';
import type { Sandboxes, SandboxSpec } from '@warren/sandbox';
import type { TemporaryDirectory } from '@warren/testkit';
import { summarize } from '../harness/statistics.ts';
import { liveOnce, runTrue } from '../harness/warren.ts';

/** Far more than any of them takes: one that hangs is a failure, and must not hang us. */
const CYCLE_MS_MAX = 60_000;
const SLEEP = ['/bin/sleep', '1000'] as const;

const KINDS = [
  'plain',
  'restrictive',
  'with a workspace',
  'with files',
  'destroyed while running',
  'with orphans left behind',
  'past its deadline',
  'refused',
  'aborted',
] as const;
type Kind = (typeof KINDS)[number];

export class Cycles {
  readonly #sandboxes: Sandboxes;
  readonly #directory: TemporaryDirectory;
  readonly #tookMs: Readonly<Record<Kind, number[]>> = Object.fromEntries(KINDS.map((kind) => [kind, []])) as unknown as Record<
    Kind,
    number[]
  >; // Object.fromEntries forgets the keys.

  constructor(sandboxes: Sandboxes, directory: TemporaryDirectory) {
    this.#sandboxes = sandboxes;
    this.#directory = directory;
  }

  /** The kinds take turns. Resolves when nothing of the sandbox should be left; throws when it did not do what it was to do. */
  async run(index: number): Promise<void> {
    const kind = KINDS[index % KINDS.length] as Kind; // Within the list.
    const startedAt = performance.now();
    try {
      await withinTime(this.#run(kind, index));
    } catch (cause) {
      throw new Error(`Cycle ${index} (${kind}) failed`, { cause });
    }
    this.#tookMs[kind].push(performance.now() - startedAt);
  }

  /** One line for each kind: how many, and how long they took. */
  summary(): readonly string[] {
    return KINDS.filter((kind) => this.#tookMs[kind].length > 0).map((kind) => {
      const { n, p50, p99 } = summarize(this.#tookMs[kind]);
      const most = Math.max(...this.#tookMs[kind]);
      return `${kind.padEnd(24)} ${String(n).padStart(6)}   ${[p50, p99, most].map((value) => value.toFixed(1).padStart(7)).join(' ')} ms p50, p99, most`;
    });
  }

  async #run(kind: Kind, index: number): Promise<unknown> {
    switch (kind) {
      case 'plain':
        return await liveOnce(this.#sandboxes);
      case 'restrictive':
        return await this.#live({ profile: 'restrictive' }, ['/bin/true']);
      case 'with a workspace':
        return await this.#liveWithWorkspace(index);
      case 'with files':
        return await this.#liveWithFiles();
      case 'destroyed while running':
        return await this.#destroyWhileRunning();
      case 'with orphans left behind':
        return await this.#live({}, ['/bin/sh', '-c', 'sleep 1000 & setsid sleep 1000 & exit 0']);
      case 'past its deadline':
        return await this.#livePastDeadline();
      case 'refused':
        return await this.#refuse();
      case 'aborted':
        return await this.#abort(index);
      default:
        return kind satisfies never;
    }
  }

  async #live(spec: SandboxSpec, argv: readonly string[]): Promise<void> {
    await using sandbox = await this.#sandboxes.start(spec);
    // Orphans hold the pipes, so the exit is waited for, not the end of the output.
    const exit = await sandbox.exec(argv).exit;
    must(exit.kind === 'exited' && exit.code === 0, exit);
  }

  async #liveWithWorkspace(index: number): Promise<void> {
    const layer = this.#directory.join(`layer-${index}`);
    await mkdir(layer);
    try {
      const workspace = { kind: 'overlay', directory: this.#directory.join('workspace'), layer } as const;
      await this.#live({ workspace }, ['/bin/sh', '-c', 'echo changed > file && mkdir new && rm file']);
    } finally {
      // The kernel's own directory in there is closed to everybody but root, also to its owner.
      await chmod(join(layer, 'work/work'), 0o700).catch(() => {}); // It is not there when the sandbox did not start.
      await rm(layer, { recursive: true });
    }
  }

  async #liveWithFiles(): Promise<void> {
    await using sandbox = await this.#sandboxes.start({});
    const content = Buffer.alloc(300_000, 'x');
    await sandbox.writeFile('/tmp/file', content);
    const chunks: Uint8Array[] = [];
    for await (const chunk of sandbox.readFile('/tmp/file')) chunks.push(chunk);
    must(Buffer.concat(chunks).equals(content), 'the file reads as it was written');
  }

  async #destroyWhileRunning(): Promise<void> {
    const sandbox = await this.#sandboxes.start({});
    const execution = sandbox.exec(SLEEP);
    await execution.pid;
    await sandbox[Symbol.asyncDispose]();
    const exit = await execution.exit;
    must(exit.kind === 'stopped' && exit.by === 'destroyed', exit);
  }

  async #livePastDeadline(): Promise<void> {
    await using sandbox = await this.#sandboxes.start({});
    const { exit } = await sandbox.run(SLEEP, { timeoutMs: 5 });
    must(exit.kind === 'stopped' && exit.by === 'deadline', exit);
    await runTrue(sandbox);
  }

  /** Fails behind walls that half stand: nothing can be made below /usr, to mount on it. */
  async #refuse(): Promise<void> {
    const mounts = [{ source: this.#directory.join('workspace'), target: '/usr/nothing/here' }];
    const outcome = await this.#sandboxes.start({ mounts }).then(
      (sandbox) => sandbox[Symbol.asyncDispose]().then(() => 'started'),
      (error: unknown) => (isFault(error) ? error.code : String(error)),
    );
    must(outcome === 'wall_unavailable', outcome);
  }

  /** At one moment or another of the start, and sometimes after it. */
  async #abort(index: number): Promise<void> {
    const aborter = new AbortController();
    const timer = setTimeout(() => aborter.abort(), index % 11);
    try {
      await (await this.#sandboxes.start({}, aborter.signal))[Symbol.asyncDispose]();
    } catch (error) {
      if (error !== aborter.signal.reason) throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Abandons a cycle that hangs: closing the backend, which follows, ends what it still has. */
async function withinTime(cycle: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`It hangs: it has not ended within ${CYCLE_MS_MAX / 1_000} s`)), CYCLE_MS_MAX);
  try {
    await Promise.race([cycle, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function must(holds: boolean, what: unknown): void {
  if (!holds) throw new Error(`Not what was to come: ${JSON.stringify(what)}`);
}

/** Lives of a sandbox, short and long, good and bad, each to its very end. */
import { rm } from 'node:fs/promises';
import type { Sandboxes, SandboxSpec } from '@warren/sandbox';
import type { TemporaryDirectory } from '@warren/testkit';
import { liveOnce, runTrue } from '../harness/warren.ts';

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
  readonly #counts = new Map<Kind, number>();

  constructor(sandboxes: Sandboxes, directory: TemporaryDirectory) {
    this.#sandboxes = sandboxes;
    this.#directory = directory;
  }

  /** The kinds take turns. Resolves when nothing of the sandbox should be left; throws when it did not do what it was to do. */
  async run(index: number): Promise<void> {
    const kind = KINDS[index % KINDS.length] as Kind; // Within the list.
    try {
      await this.#run(kind, index);
    } catch (cause) {
      throw new Error(`Cycle ${index} (${kind}) failed`, { cause });
    }
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  summary(): string {
    return [...this.#counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
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
        return await this.#refuse(index);
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
    try {
      const workspace = { kind: 'overlay', directory: this.#directory.join('workspace'), layer } as const;
      await this.#live({ workspace }, ['/bin/sh', '-c', 'echo changed > file && mkdir new && rm file']);
    } finally {
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

  /** Fails in the launcher, with walls half built: the source of a mount is not there. */
  async #refuse(index: number): Promise<void> {
    const mounts = [{ source: this.#directory.join(`nothing-${index}`), target: '/nothing' }];
    const outcome = await this.#sandboxes.start({ mounts }).then(
      (sandbox) => sandbox[Symbol.asyncDispose]().then(() => 'started'),
      () => 'refused',
    );
    must(outcome === 'refused', outcome);
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

function must(holds: boolean, what: unknown): void {
  if (!holds) throw new Error(`Not what was to come: ${JSON.stringify(what)}`);
}

/**
 * The contract of a sandbox: what every backend offers and everything above relies on.
 *
 * A backend builds walls from a `SandboxSpec` and hands out a `Sandbox`. Start reading at `Sandboxes`. All waits take an optional
 * `AbortSignal`; each method says what abort does to the work. Bytes are `Uint8Array`; sizes are bytes; times are milliseconds
 * unless the name says otherwise.
 */

import type { SandboxId } from '@warren/protocol';
import type { EgressNetwork, EgressTraffic } from './egress/proxy/egress-network.ts';
import type { RelayedNetwork } from './egress/proxy/relayed-network.ts';

/** Builds sandboxes. Owns the launcher process; disposing it destroys every sandbox it started. */
export interface Sandboxes extends AsyncDisposable {
  /** What this backend enforces on this host. A spec that asks for more is refused with the fault `limit_unavailable`. */
  readonly capabilities: Capabilities;

  /**
   * Starts a sandbox and resolves when every wall stands and pid 1 answers. The caller owns the result.
   * Abort destroys the sandbox, also one that arrives late.
   * Throws `invalid_argument`, `limit_unavailable`, `wall_unavailable` (with stage, call, path, errno and the fix), `busy`.
   */
  start(spec: SandboxSpec, signal?: AbortSignal): Promise<Sandbox>;
}

export interface Sandbox extends AsyncDisposable {
  readonly id: SandboxId;
  readonly spec: ResolvedSpec;

  /** Settles when the sandbox is gone, for whatever reason; never rejects. */
  readonly gone: Promise<Gone>;

  /** Starts a command. Returns at once; a command that cannot start says so in its exit. argv is never joined into a shell string. */
  exec(argv: readonly string[], options?: ExecOptions): Execution;

  /** Runs a command to its end and collects its output (bounded by `outputBytesMax`, default 16 MiB together). Abort kills the whole tree. */
  run(argv: readonly string[], options?: RunOptions): Promise<Completed>;

  /** Streams a file out. Runs inside the walls. Ending the iteration early stops the read. Throws `not_found`, `permission_denied`, `invalid_argument`. */
  readFile(path: string, options?: ReadOptions): AsyncIterable<Uint8Array>;

  /** Writes a file of any size, atomically (a reader sees the old or the new content), parents not created. Abort leaves the old content. */
  writeFile(path: string, content: Uint8Array | string | AsyncIterable<Uint8Array>, options?: WriteOptions): Promise<void>;

  list(path: string, options?: FileOptions): Promise<readonly Entry[]>;
  stat(path: string, options?: FileOptions & { readonly follow?: boolean }): Promise<Entry>;
  remove(path: string, options?: FileOptions & { readonly recursive?: boolean }): Promise<void>;
  mkdir(path: string, options?: FileOptions & { readonly parents?: boolean; readonly mode?: number }): Promise<void>;

  stats(): Promise<SandboxStats>;

  /** Freezes every process of the sandbox. Idempotent. Requests made meanwhile wait. */
  pause(): Promise<void>;
  resume(): Promise<void>;

  /** Sends a signal to every running command (not to pid 1). */
  signal(signal: SignalName): void;
}

/** What to build. Everything but the defaults of the profile is optional; what is given here wins over the profile. */
export interface SandboxSpec {
  /** Default `moderate`. */
  readonly profile?: ProfileName;
  readonly limits?: Limits;
  /** Directory of the host seen at `/workspace`. */
  readonly workspace?: WorkspaceMount;
  /** Further read-only or writable directories of the host. */
  readonly mounts?: readonly HostMount[];
  /** Added to the environment of every command. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default `warren`. */
  readonly hostname?: string;
  /**
   * The sandbox has its own network namespace with nothing but `lo`. With `egress`, commands reach hosts that its rules allow through a proxy on it, whose
   * address their environment holds; with `relayed` the proxy is somebody else's. Not with the profile `restrictive`, whose commands have no sockets.
   */
  readonly network?: 'loopback' | EgressNetwork | RelayedNetwork;
}

export type ProfileName = 'permissive' | 'moderate' | 'restrictive';

export type WorkspaceMount =
  /** The host directory is the lower side of an overlay; every change lands in `layer` (a directory with `upper` and `work`). */
  | { readonly kind: 'overlay'; readonly directory: string; readonly layer: string }
  /** Changes reach the host directory at once. */
  | { readonly kind: 'writable'; readonly directory: string }
  | { readonly kind: 'read_only'; readonly directory: string };

export interface HostMount {
  readonly source: string;
  /** Absolute. Below `/workspace` when the spec has no workspace, or when it shows the same place of it again, as to let a part be written. Parents come first. */
  readonly target: string;
  readonly writable?: boolean;
}

/** Limits of the whole sandbox. `null` takes a profile's limit off; absent keeps it. Zero, negative, fractional (but `cpus`) or absurd values are refused. */
export interface Limits {
  /** Memory of all processes and tmpfs files together. */
  readonly memoryBytes?: number | null;
  /** Share of processor time: 0.5 is half a core. */
  readonly cpus?: number | null;
  /** Processes and threads at once. */
  readonly pids?: number | null;
  /** Largest single file. */
  readonly fileBytes?: number | null;
  /** Open descriptors per process. */
  readonly openFiles?: number | null;
  /** Bytes the workspace layer may grow to. */
  readonly diskBytes?: number | null;
  /** Bytes of all scratch places (`/tmp`, `/home/agent`, `/run`, `/dev/shm`) together. */
  readonly scratchBytes?: number | null;
  /** Lifetime of the sandbox. */
  readonly wallMs?: number | null;
}

/** Limits of one command, within those of the sandbox. */
export interface ExecLimits {
  /** Processor seconds of one process. */
  readonly cpuSeconds?: number;
  readonly fileBytes?: number;
  readonly openFiles?: number;
  /** Address space of one process. */
  readonly addressBytes?: number;
}

export interface ExecOptions {
  /** Replaces entries of the sandbox's environment; `undefined` removes one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default `/workspace` when there is one, else the home directory. */
  readonly cwd?: string;
  /** Numeric ids inside the sandbox. Default: the agent user (1000). Others need a uid range (`capabilities.users`). */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Run on a new pseudo-terminal of this size; stdout then carries everything. */
  readonly pty?: TerminalSize;
  /** `'pipe'` gives `Execution.stdin`; bytes or a stream are fed and closed. Default: end of file at once. */
  readonly stdin?: 'pipe' | Uint8Array | string | AsyncIterable<Uint8Array>;
  /** Wall clock of this command; then the tree gets SIGTERM, and SIGKILL after `killGraceMs` (default 2,000). */
  readonly timeoutMs?: number;
  readonly killGraceMs?: number;
  /** stdout and stderr together; one byte more kills the tree. */
  readonly outputBytesMax?: number;
  readonly limits?: ExecLimits;
  /** What still runs of its tree when the command ends is killed then; the exit says how many that were. Without it, that runs on until the sandbox ends. */
  readonly endsTree?: boolean;
  /** Abort kills the whole tree at once. */
  readonly signal?: AbortSignal;
}

export interface RunOptions extends Omit<ExecOptions, 'stdin'> {
  readonly stdin?: Uint8Array | string | AsyncIterable<Uint8Array>;
}

/** A running command. A stream nobody reads makes the command wait once its window (256 KiB) is full. */
export interface Execution {
  readonly stdout: AsyncIterable<Uint8Array>;
  readonly stderr: AsyncIterable<Uint8Array>;
  /** Settles when the main process has ended; output may still be waiting in the streams. Rejects only when the sandbox broke (`sandbox_gone`, `protocol_error`). */
  readonly exit: Promise<Exit>;
  /** Pid inside the sandbox. */
  readonly pid: Promise<number>;
  /** Writes to stdin; resolves when the guest has room. Throws `invalid_argument` unless `stdin: 'pipe'`. */
  write(bytes: Uint8Array): Promise<void>;
  closeStdin(): void;
  /** `process` is the default. `tree` reaches every descendant, also one that left the session; SIGKILL to the tree cannot be dodged. */
  kill(signal: SignalName, scope?: 'process' | 'group' | 'tree'): void;
  resize(size: TerminalSize): void;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export type SignalName = keyof typeof import('./signals.ts').SIGNALS;

export type Exit =
  | ({ readonly kind: 'exited'; readonly code: number } & Ending)
  | ({ readonly kind: 'signalled'; readonly signal: SignalName } & Ending)
  /** Ended by a limit or by the host, not by itself. `detail` says it in words with numbers. */
  | ({ readonly kind: 'stopped'; readonly by: LimitName | 'caller' | 'destroyed'; readonly detail: string } & Ending)
  /** Never ran: 127 not found, 126 found but not executable, 125 anything else. */
  | {
      readonly kind: 'not_started';
      readonly code: 125 | 126 | 127;
      readonly stage: string;
      readonly call: string;
      readonly path: string;
      readonly errno: string;
    };

export interface Ending {
  readonly usage: Usage;
  readonly limitsHit: readonly LimitName[];
  /** Processes that outlived it and were ended with it, up to 65,535; only with `endsTree`, and not when the sandbox went before it could say. */
  readonly leftoversEnded?: number;
}

export type LimitName = 'memory' | 'cpu' | 'pids' | 'file_size' | 'open_files' | 'disk' | 'deadline' | 'output';

/** Measured by the kernel, not by the guest's word. */
export interface Usage {
  readonly userCpuMs: number;
  readonly systemCpuMs: number;
  readonly wallMs: number;
  readonly memoryBytesMax: number;
}

export interface Completed {
  readonly exit: Exit;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

export interface Gone {
  readonly reason: 'destroyed' | 'lost' | 'deadline' | 'disk';
  readonly usage: Usage | undefined;
}

export interface FileOptions {
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly signal?: AbortSignal;
}
export interface ReadOptions extends FileOptions {
  readonly offset?: number;
  readonly length?: number;
}
export interface WriteOptions extends FileOptions {
  /** Permission bits, default 0o644. */
  readonly mode?: number;
  readonly append?: boolean;
  /** Fail with `already_exists` when the path exists. */
  readonly exclusive?: boolean;
}

export interface Entry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'symlink' | 'character_device' | 'block_device' | 'fifo' | 'socket';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly target?: string;
}

export interface SandboxStats {
  readonly memoryBytes: number | undefined;
  readonly memoryBytesMax: number | undefined;
  readonly cpuMs: number | undefined;
  readonly pids: number | undefined;
  readonly oomKills: number | undefined;
  readonly pidsDenied: number | undefined;
  readonly cpuThrottledMs: number | undefined;
  /** What went to and came from hosts. Undefined without egress. */
  readonly egress?: EgressTraffic | undefined;
}

/** What a backend enforces here, and how. `none` means: a spec that asks for it is refused. */
export interface Capabilities {
  readonly backend: 'namespace';
  readonly users: 'range' | 'single';
  readonly memory: 'cgroup' | 'none';
  readonly cpus: 'cgroup' | 'none';
  readonly pids: 'cgroup' | 'rlimit' | 'none';
  readonly fileBytes: 'rlimit';
  readonly openFiles: 'rlimit';
  readonly diskBytes: 'polled';
  readonly pause: 'cgroup' | 'signals';
  readonly killTree: 'cgroup' | 'subreaper';
  readonly landlock: number;
  readonly cgroupVersion: 1 | 2 | 'hybrid' | 'none';
}

/** The spec after profile, defaults and checks: exactly what was built. */
export interface ResolvedSpec {
  readonly profile: ProfileName;
  readonly limits: { readonly [K in keyof Required<Limits>]: number | null };
  readonly workspace: WorkspaceMount | undefined;
  readonly mounts: readonly Required<HostMount>[];
  readonly env: Readonly<Record<string, string>>;
  readonly hostname: string;
  readonly network: 'loopback' | Pick<EgressNetwork, 'kind' | 'rules' | 'privateNetworks'> | Pick<RelayedNetwork, 'kind'>;
  readonly seccomp: 'default' | 'restrictive';
}

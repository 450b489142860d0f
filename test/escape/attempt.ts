/** What an attempt is. The tables in `attempts/` are made of these; `README.md` says what the themes are about. */
import type { SandboxSpec } from '@warren/sandbox';
import type { RemovableWall } from '@warren/sandbox/testing';
import type { Arena } from './arena.ts';
import type { Setting, TestedProfile, User } from './setting.ts';

/** Walls that cannot be left out one by one, because nothing would work without them: each is upheld by what it says. */
export const STANDING_WALLS = {
  minimal_root: 'what is not mounted is not there: the root is an empty tmpfs with a list of mounts',
  read_only_root: 'the root itself, /etc and /dev are read-only',
  read_only_mount: 'a mount of the caller is read-only unless it asks for more',
  new_terminals: 'the sandbox has its own instance of devpts',
  inside_operations: 'file operations of the host run inside the walls, as the user of the commands',
  sealed_launcher: 'pid 1 runs from a sealed copy of the launcher in memory',
  pid_1: 'the kernel drops signals from inside to the first process of a pid namespace',
  overlay: 'the workspace is the lower side of an overlay, whose own marks cannot be forged from inside',
  tree_kill: 'a command and all its descendants are in one cgroup (or below one reaper) and end together',
  frames: 'output travels in frames that its content cannot leave',
  output_limit: 'output is counted, and held back until somebody reads it',
  deadline: 'the host ends what takes too long',
  disk_watch: 'the host looks at the size of the layer',
  layer_apply: 'applying a layer follows no link, takes nothing special, and leaves alone what makes the host run something',
  plain_words: 'messages show control characters instead of sending them',
  kernel: 'a rule of the kernel itself, or a bug of it that is repaired',
} as const;

export type Wall = RemovableWall | keyof typeof STANDING_WALLS;

export type Attempt = {
  readonly id: string;
  /** What the attacker wants. */
  readonly title: string;
  /** Whose refusal this is: first the wall that answers, then those that would if it were gone. */
  readonly walls: readonly [Wall, ...Wall[]];
  /** The exact answer with every wall standing, by setting; absent: not tried there. */
  readonly answers: Readonly<Partial<Record<Setting, string>>>;
  readonly how: How;
  /** On which machines; absent: on all. */
  readonly architecture?: 'x64';
};

export type How =
  /** One of the attack program's, by name. Many of them share a sandbox, unless they name a spec. */
  | { readonly kind: 'program'; readonly name: string; readonly user: User; readonly spec?: SandboxSpec }
  /** Made or judged by the host, in sandboxes of its own. */
  | { readonly kind: 'host'; readonly make: (arena: Arena, profile: TestedProfile) => Promise<string> };

export type Theme = { readonly name: string; readonly attempts: readonly Attempt[] };

type Options = {
  readonly restrictive?: string;
  /** Default: as in `moderate`, unless root is needed. */
  readonly unprivileged?: string;
  /** The host must be root: to make a device or a range of ids, or because an ordinary user has no cgroups. */
  readonly needsRoot?: boolean;
};

type ProgramOptions = Options & {
  /** Default: the id. */
  readonly program?: string;
  readonly user?: User;
  readonly spec?: SandboxSpec;
  readonly architecture?: 'x64';
};

/** An attempt of the attack program. */
export function program(id: string, title: string, walls: Attempt['walls'], moderate: string, options: ProgramOptions = {}): Attempt {
  const { spec, architecture, user = 'agent' } = options;
  return {
    id,
    title,
    walls,
    answers: answersOf(moderate, options),
    how: { kind: 'program', name: options.program ?? id, user, ...(spec === undefined ? {} : { spec }) },
    ...(architecture === undefined ? {} : { architecture }),
  };
}

/** An attempt the host makes or judges. */
export function host(
  id: string,
  title: string,
  walls: Attempt['walls'],
  moderate: string,
  make: (arena: Arena, profile: TestedProfile) => Promise<string>,
  options: Options = {},
): Attempt {
  return { id, title, walls, answers: answersOf(moderate, options), how: { kind: 'host', make } };
}

function answersOf(moderate: string, { restrictive, unprivileged, needsRoot = false }: Options): Attempt['answers'] {
  const asUser = unprivileged ?? (needsRoot ? undefined : moderate);
  return {
    moderate,
    ...(restrictive === undefined ? {} : { restrictive }),
    ...(asUser === undefined ? {} : { unprivileged: asUser }),
  };
}

/** The named starting points of a sandbox. Every key has an effect; what a spec says itself wins over its profile. */
import type { Limits, ProfileName } from '../../contract.ts';
import type { SeccompProfileName } from '../../seccomp/index.ts';

export type Profile = {
  readonly limits: { readonly [Key in keyof Required<Limits>]: number | null };
  readonly seccomp: SeccompProfileName;
  /** Programs may be executed from `/tmp` and the like. */
  readonly isScratchExecutable: boolean;
  /** PATH, LANG, LC_ALL, TERM and USER of the caller reach the commands. */
  readonly passesEnvironment: boolean;
  /** The caller's home directory is at `/home/user`, read-only, with known places of credentials hidden. */
  readonly showsHome: boolean;
  /** For callers that have a working directory of their own, as the command line: it is the workspace (an overlay) when none is named. */
  readonly mountsWorkingDirectory: boolean;
  /** /proc shows only processes. */
  readonly isProcMinimal: boolean;
};

const MIB = 1_048_576;
const GIB = 1_024 * MIB;

export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  permissive: {
    limits: {
      memoryBytes: null,
      cpus: null,
      pids: 4_096,
      fileBytes: null,
      openFiles: 65_536,
      diskBytes: null,
      scratchBytes: GIB,
      wallMs: null,
    },
    seccomp: 'default',
    isScratchExecutable: true,
    passesEnvironment: true,
    showsHome: true,
    mountsWorkingDirectory: true,
    isProcMinimal: false,
  },
  moderate: {
    limits: {
      memoryBytes: 512 * MIB,
      cpus: 1,
      pids: 512,
      fileBytes: 4 * GIB,
      openFiles: 4_096,
      diskBytes: 10 * GIB,
      scratchBytes: 256 * MIB,
      wallMs: null,
    },
    seccomp: 'default',
    isScratchExecutable: true,
    passesEnvironment: false,
    showsHome: false,
    mountsWorkingDirectory: false,
    isProcMinimal: false,
  },
  restrictive: {
    limits: {
      memoryBytes: 256 * MIB,
      cpus: 0.5,
      pids: 128,
      fileBytes: GIB,
      openFiles: 1_024,
      diskBytes: GIB,
      scratchBytes: 64 * MIB,
      wallMs: null,
    },
    seccomp: 'restrictive',
    isScratchExecutable: false,
    passesEnvironment: false,
    showsHome: false,
    mountsWorkingDirectory: false,
    isProcMinimal: true,
  },
};

/** What a home directory is not shown with. A list can only hold what is known: do not show a home that holds other secrets. */
export const CREDENTIAL_PATHS: readonly string[] = [
  '.ssh',
  '.gnupg',
  '.aws',
  '.azure',
  '.config/gcloud',
  '.config/gh',
  '.config/hub',
  '.config/op',
  '.config/rclone',
  '.config/sops',
  '.docker',
  '.kube',
  '.netrc',
  '.npmrc',
  '.yarnrc.yml',
  '.pypirc',
  '.git-credentials',
  '.config/git/credentials',
  '.password-store',
  '.local/share/keyrings',
  '.vault-token',
  '.terraform.d',
  '.cargo/credentials',
  '.cargo/credentials.toml',
  '.gem/credentials',
  '.m2/settings.xml',
  '.gradle/gradle.properties',
  '.pgpass',
  '.my.cnf',
  '.bash_history',
  '.zsh_history',
  '.python_history',
  '.node_repl_history',
  '.psql_history',
  '.mysql_history',
  '.lesshst',
  '.viminfo',
  '.mozilla',
  '.thunderbird',
  '.config/google-chrome',
  '.config/chromium',
  '.config/BraveSoftware',
  '.config/Slack',
  '.config/discord',
  '.claude',
  '.claude.json',
  '.codex',
  '.gemini',
  '.config/opencode',
  '.config/github-copilot',
  '.local/state/warren',
  '.local/share/warren',
];

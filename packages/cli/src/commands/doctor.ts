/** `warren doctor`: every wall of this machine, the policies of its state directory and how its secrets are locked, and what to do about what is missing or wrong. */
import { type Check, printChecks } from '../internal/checks.ts';
import { count } from '../internal/count.ts';
import type { Host } from '../internal/host.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { nextCommand, statePath } from '../internal/state-path.ts';
import type { DoctorFlags } from '../program.ts';

export type WallReport = {
  readonly wall: string;
  readonly state: 'enforced' | 'degraded' | 'missing';
  readonly detail: string;
  readonly reason?: string;
  readonly fix?: string;
};

type Problem = {
  readonly file: string;
  /** Undefined: the file as a whole. */
  readonly line: number | undefined;
  readonly severity: 'error' | 'warning';
  readonly message: string;
};

/** What the files on disk say: what a start puts in force, and a running daemon as soon as they have no errors. */
export type PolicyReport = {
  readonly directory: string;
  readonly files: readonly {
    readonly layer: string;
    readonly file: string;
    readonly rules: number;
    readonly isForAll: boolean;
    readonly default: { readonly tier: string; readonly line: number } | undefined;
  }[];
  readonly problems: readonly Problem[];
  /** What a file says and never gets, because one of a layer above is stricter. */
  readonly contradictions: readonly Problem[];
};

/** How the secrets are locked. */
export type VaultReport =
  | { readonly kind: 'absent' }
  | { readonly kind: 'locked'; readonly key: string; readonly isKeyBeside: boolean }
  | { readonly kind: 'unusable'; readonly reason: string };

export interface DoctorParts {
  examineVault(stateDirectory: string): Promise<VaultReport>;
  diagnose(): Promise<readonly WallReport[]>;
  examinePolicies(stateDirectory: string): Promise<PolicyReport>;
}

/** Returns 1 when a wall is missing, or the policies or the vault cannot be used. A degraded wall stands, with less than it could. */
export async function doctor(flags: DoctorFlags, host: Host, parts: DoctorParts): Promise<number> {
  const stateDirectory = statePath(host, flags.state);
  const [walls, policies, vault] = await Promise.all([
    parts.diagnose(),
    parts.examinePolicies(stateDirectory),
    parts.examineVault(stateDirectory),
  ]);
  const missing = walls.filter(({ state }) => state === 'missing');
  const isUsable = policies.problems.every(({ severity }) => severity !== 'error');
  const code = missing.length === 0 && isUsable && vault.kind !== 'unusable' ? 0 : 1;
  if (flags.json === true) {
    await host.stdout.write(
      `${safeJson({ ok: code === 0, walls, policies: documentOf(policies, isUsable), vault: vaultDocument(vault) }, 2)}\n`,
    );
    return code;
  }
  await printChecks(
    host,
    walls.map(({ wall, state, ...rest }) => ({ name: wall, state, word: state, ...rest })),
  );
  const verdict =
    missing.length === 0
      ? 'Every needed wall stands.'
      : `${missing.length} of ${walls.length} walls cannot be built: ${missing.map(({ wall }) => safeText(wall)).join(', ')}.`;
  await host.stdout.write(`\n${verdict}\n\n`);
  await printChecks(host, policyChecks(policies, isUsable, nextCommand('policy check', flags)));
  await host.stdout.write(
    `\n${isUsable ? 'The policies can be used.' : 'The policies cannot be used: a daemon that runs keeps those it has, and none starts.'}\n\n`,
  );
  await printChecks(host, [vaultCheck(vault, nextCommand('vault passphrase', flags))]);
  return code;
}

function vaultCheck(vault: VaultReport, fix: string): Check {
  switch (vault.kind) {
    case 'absent':
      return { name: 'vault', state: 'enforced', word: 'absent', detail: 'it is made with the first secret' };
    case 'unusable':
      return { name: 'vault', state: 'missing', word: 'unusable', detail: vault.reason };
    case 'locked':
      return vault.isKeyBeside
        ? {
            name: 'vault',
            state: 'degraded',
            word: 'weak',
            detail: 'its key lies beside what it protects: whoever copies the directory has both',
            fix: `${fix}, or vault.key in config.yaml`,
          }
        : { name: 'vault', state: 'enforced', word: 'locked', detail: `with a ${vault.key}` };
    default:
      return vault satisfies never;
  }
}

function vaultDocument(vault: VaultReport): object {
  if (vault.kind === 'absent') return { state: 'absent' };
  return vault.kind === 'unusable'
    ? { state: 'unusable', reason: vault.reason }
    : { state: 'locked', key: vault.key, key_beside: vault.isKeyBeside };
}

function policyChecks(report: PolicyReport, isUsable: boolean, fix: string): readonly Check[] {
  const { directory, files, problems, contradictions } = report;
  const rules = files.reduce((sum, file) => sum + file.rules, 0);
  const errors = problems.filter(({ severity }) => severity === 'error');
  const usable = files.length === 0 ? 'none' : `${count(files.length, 'file')} with ${count(rules, 'rule')}`;
  const detail = `${isUsable ? usable : mistakesIn(errors)} in ${directory}`;
  const defaults = files.filter((file) => file.default !== undefined);
  return [
    {
      name: 'policies',
      state: isUsable ? 'enforced' : 'missing',
      word: isUsable ? 'usable' : 'unusable',
      detail,
      ...(!isUsable && { fix }),
    },
    ...files.map(
      ({ layer, file, rules: own }): Check => ({
        name: file,
        state: 'enforced',
        word: 'read',
        detail: `layer ${layer}, ${count(own, 'rule')}`,
      }),
    ),
    ...(defaults.length === 0 && isUsable
      ? [{ name: 'default', state: 'enforced', word: '', detail: 'where no rule matches, the tier of each capability' } as const]
      : []),
    ...defaults.map(
      ({ file, isForAll, default: own }): Check => ({
        ...{ name: 'default', state: 'enforced', word: own?.tier ?? '' },
        detail: `where no rule matches, ${isForAll ? 'everywhere' : 'for whom the file is'}: ${file}:${own?.line}`,
      }),
    ),
    ...[...problems, ...contradictions].map(
      (problem): Check => ({
        ...{ name: placeOf(problem), state: problem.severity === 'error' ? 'missing' : 'degraded' },
        ...{ word: problem.severity, detail: problem.message },
      }),
    ),
  ];
}

/** The first by name; all of them are told below. */
function mistakesIn(errors: readonly Problem[]): string {
  const [first] = errors;
  if (first === undefined) return 'none';
  const others = errors.length === 1 ? '' : `, and ${count(errors.length - 1, 'more mistake')},`;
  return `${placeOf(first)}: ${first.message}${others}`;
}

function placeOf({ file, line }: Problem): string {
  return line === undefined ? file : `${file}:${line}`;
}

function documentOf({ directory, files, problems, contradictions }: PolicyReport, isUsable: boolean): object {
  return {
    ...{ directory, is_usable: isUsable },
    files: files.map(({ isForAll: _, default: own, ...file }) => ({
      ...file,
      default: own?.tier ?? null,
      default_line: own?.line ?? null,
    })),
    ...{ problems, contradictions },
  };
}

/** Apart from sandboxes.ts, so that a run does not load how to examine a machine. */
import { join } from 'node:path';
import type { PolicyReport, VaultReport } from '../commands/doctor.ts';

export { diagnose } from '@warren/sandbox';

export async function examinePolicies(stateDirectory: string): Promise<PolicyReport> {
  const { overruledIn, parsePolicies, readPolicyTexts } = await import('@warren/platform');
  const directory = join(stateDirectory, 'policies');
  const texts = await readPolicyTexts(directory).catch((error: NodeJS.ErrnoException) => {
    const problem = {
      file: 'policies',
      line: undefined,
      severity: 'error',
      message: `cannot be read: ${error.code ?? error.message}`,
    } as const;
    return { texts: [], problems: [problem] };
  });
  const { loaded, problems } = parsePolicies(texts);
  return {
    directory,
    files: loaded.map(({ found, policy: { layer, file, rules, defaultTier, defaultLine } }) => ({
      ...{ layer, file, rules: rules.length, isForAll: found.workspace === undefined },
      default: defaultTier === undefined ? undefined : { tier: defaultTier, line: defaultLine ?? 1 },
    })),
    problems,
    contradictions: overruledIn(loaded),
  };
}

export async function examineVault(stateDirectory: string): Promise<VaultReport> {
  return await (await import('@warren/platform')).examineVault(stateDirectory);
}

/** What came of a trial of a skill, for people: its answer on standard output, what it said besides on standard error. */
import type { SkillTrialRecord } from '@warren/protocol/contract';
import type { Host } from './host.ts';
import { safeJson, safeLines, safeText } from './safe-text.ts';

/** Returns the exit code. */
export async function tellTrial(trial: SkillTrialRecord, flags: { readonly json?: true }, host: Host): Promise<number> {
  const { output, error } = trial;
  if (flags.json === true) await host.stdout.write(`${safeJson(trial, 2)}\n`);
  else {
    const log = (output ?? error?.context)?.['log'];
    if (typeof log === 'string' && log !== '') await host.stderr.write(`${safeLines(log.trimEnd())}\n`);
    if (output !== null) await host.stdout.write(`${safeJson(output['result'] ?? null, 2)}\n`);
    if (error !== null) await host.stderr.write(`warren: ${safeText(`${error.type}: ${error.message}`)}\n`);
  }
  return error === null ? 0 : 1;
}

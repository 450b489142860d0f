/** `warren skill new`, and `test` of a folder: for whoever writes a skill, without a daemon. */
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { CapabilityError, checkNewSkillName, scaffoldSkill, trySkill } from '@warren/platform';
import { Fault } from '@warren/protocol';
import type { SkillTrialRecord } from '@warren/protocol/contract';
import { openSandboxes } from '@warren/sandbox';
import type { Host } from '../internal/host.ts';
import { interruptible } from '../internal/interruptible.ts';
import { readJsonOption } from '../internal/read-json-option.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { shellWord } from '../internal/shell-words.ts';
import { tellTrial } from '../internal/tell-trial.ts';
import type { SkillNewFlags, SkillTestFlags } from '../program/skill-commands.ts';

export async function skillNew(name: string, flags: SkillNewFlags, host: Host): Promise<number> {
  checkNewSkillName(name);
  const folder = resolve(host.cwd(), flags.dir ?? name);
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    const details = { path: folder };
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
      throw new Fault('not_found', `Cannot make ${folder}: there is no directory ${dirname(folder)}`, { details, cause: error });
    if (error.code !== 'EEXIST') throw error;
    throw new Fault('already_exists', `Cannot make ${folder}: it is there`, { details, cause: error });
  });
  const files = await scaffoldSkill(name, folder, flags.language);
  if (flags.json === true) await host.stdout.write(`${safeJson({ folder, files }, 2)}\n`);
  else {
    for (const file of files) await host.stdout.write(`${safeText(join(folder, file))}\n`);
    const shown = shellWord(flags.dir === undefined ? `./${name}` : folder);
    await host.stderr.write(`  try it: warren skill test ${safeText(shown)} --params '{"name":"Ada"}'\n`);
  }
  return 0;
}

export async function skillTestFolder(folder: string, flags: SkillTestFlags, host: Host): Promise<number> {
  return await interruptible(host, async (signal) => {
    const params = await readJsonOption(flags.params, '--params', host);
    await using sandboxes = await openSandboxes({ spares: 0 });
    const trial = await tried(() => trySkill({ folder: resolve(host.cwd(), folder), params, sandboxes, signal }));
    const code = await tellTrial(trial, flags, host);
    if (trial.error?.type === 'SecretUnavailable' && flags.json !== true)
      await host.stderr.write(
        `  a folder is tried without secrets; with those of a workspace: warren skill add ${safeText(shellWord(folder))}, then warren skill test NAME\n`,
      );
    return code;
  });
}

async function tried(run: () => ReturnType<typeof trySkill>): Promise<SkillTrialRecord> {
  try {
    const { result, log, durationMs } = await run();
    return { output: { result, log, duration_ms: durationMs }, error: null };
  } catch (error) {
    if (!(error instanceof CapabilityError)) throw error;
    const { type, message, context = null } = error;
    return { output: null, error: { type, message, context } };
  }
}

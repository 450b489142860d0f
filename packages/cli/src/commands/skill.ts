/** `warren skill`: what agents may run, through the daemon. What a skill says of itself is shown as text and nothing else. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DEFAULT_WORKSPACE, Fault, isFault } from '@warren/protocol';
import type { CallAnswer, SkillRecord } from '@warren/protocol/contract';
import { openClient, openWorkspaceClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { interruptible } from '../internal/interruptible.ts';
import { formatLabelled } from '../internal/labelled.ts';
import { processOfAgent } from '../internal/process-of-agent.ts';
import { readJsonOption } from '../internal/read-json-option.ts';
import { safeJson, safeLines, safeText } from '../internal/safe-text.ts';
import { serverOf } from '../internal/server-link.ts';
import { shellWord } from '../internal/shell-words.ts';
import { nextCommand } from '../internal/state-path.ts';
import { formatTable } from '../internal/table.ts';
import { tellTrial } from '../internal/tell-trial.ts';
import { withWorkspaceAdvice } from '../internal/workspace-advice.ts';
import type { SkillApproveFlags, SkillListFlags, SkillRunFlags, SkillTestFlags } from '../program/skill-commands.ts';
import type { StateFlags, WorkspaceFlags } from '../program/state-options.ts';
import { makeCall, tellAnswer } from './call.ts';

export async function skillAdd(folder: string, flags: StateFlags, host: Host): Promise<number> {
  // Elsewhere it is a folder of that machine.
  const path = serverOf(flags, host) === undefined ? resolve(host.cwd(), folder) : folder;
  await using client = await openClient(flags, host, 'add a skill');
  const skill = await client.call('skill.add', { path });
  if (flags.json === true) return await printJson(host, skill);
  const name = safeText(skill.name);
  await host.stdout.write(`Skill ${name} is added, and approved as it is.\n`);
  for (const line of declaredBy(skill)) await host.stderr.write(`  it uses ${line}\n`);
  await host.stderr.write(`  let agents use it: ${nextCommand(`skill enable ${name} --workspace NAME`, flags)}\n`);
  return 0;
}

export async function skillList(flags: SkillListFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'list skills');
  const found = await client.call('skill.list', {}).catch(advised(flags));
  if (flags.json === true) return await printJson(host, found);
  if (flags.names === true) {
    await host.stdout.write(found.skills.map(({ name }) => `${safeText(name)}\n`).join(''));
    return 0;
  }
  const columns = ['SKILL', 'STATE', 'HERE', 'KIND', 'WHAT IT IS GOOD FOR'].map((title) => ({ title }));
  const rows = found.skills.map((skill) => [
    ...[safeText(skill.name), skill.state, skill.enabled ? 'enabled' : '-', skill.runnable ? 'program' : 'words'],
    safeText(skill.state === 'broken' ? (skill.problems[0] ?? '') : skill.description),
  ]);
  if (rows.length > 0) await host.stdout.write(formatTable(columns, rows, host.stdout.size?.columns ?? Number.POSITIVE_INFINITY));
  else await host.stderr.write('warren: there are no skills; to begin one: warren skill new NAME\n');
  return 0;
}

export async function skillShow(name: string, flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'show a skill');
  const skill = await client.call('skill.get', { name }).catch(advised(flags));
  if (flags.json === true) return await printJson(host, skill);
  await host.stdout.write(linesOf(skill));
  if (skill.state === 'changed' || skill.state === 'unapproved')
    await host.stderr.write(`  approve it: ${nextCommand(`skill approve ${safeText(name)} --hash ${skill.hash}`, flags)}\n`);
  return 0;
}

export async function skillApprove(name: string, flags: SkillApproveFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'approve a skill');
  const skill = await client.call('skill.approve', { name, hash: flags.hash ?? '' }); // The flag is required.
  if (flags.json === true) return await printJson(host, skill);
  await host.stdout.write(`Skill ${safeText(name)} is approved as it is.\n`);
  return 0;
}

export async function skillEnable(name: string, flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'enable a skill');
  const { changed } = await client.call('skill.enable', { name }).catch(advised(flags));
  if (flags.json === true) return await printJson(host, { name, changed });
  await host.stdout.write(`Skill ${safeText(name)} ${changed ? 'is' : 'was already'} enabled in workspace ${safeText(flags.workspace)}.\n`);
  return 0;
}

export async function skillDisable(name: string, flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'disable a skill');
  const { changed } = await client.call('skill.disable', { name }).catch(advised(flags));
  if (flags.json === true) return await printJson(host, { name, changed });
  await host.stdout.write(
    `Skill ${safeText(name)} ${changed ? 'is no longer' : 'was not'} enabled in workspace ${safeText(flags.workspace)}.\n`,
  );
  return 0;
}

/** 1 when there was none. */
export async function skillRemove(name: string, flags: StateFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'remove a skill');
  const { removed } = await client.call('skill.remove', { name });
  if (flags.json === true) await printJson(host, { name, removed });
  else await host.stdout.write(removed ? `Skill ${safeText(name)} is removed.\n` : `There is no skill ${safeText(name)}.\n`);
  return removed ? 0 : 1;
}

/** Of one that was added. */
export async function skillTest(name: string, flags: SkillTestFlags, host: Host): Promise<number> {
  return await interruptible(host, async (signal) => {
    const params = await readJsonOption(flags.params, '--params', host);
    await using client = await openWorkspaceClient(flags, host, 'try a skill');
    const trial = await client.call('skill.test', { name, params }, { signal }).catch((error: unknown) => {
      // Names and folders are told apart by how they are written; whoever stands beside one may not know.
      if (!isFault(error, 'not_found') || !existsSync(join(host.cwd(), name, 'SKILL.md'))) return advised(flags)(error);
      const fix = nextCommand(`skill test ${shellWord(`./${name}`)}`, flags);
      throw new Fault('not_found', error.message, { details: { ...error.details, fix }, cause: error });
    });
    return await tellTrial(trial, flags, host);
  });
}

export async function skillRun(name: string, flags: SkillRunFlags, host: Host): Promise<number> {
  if (flags.as === undefined)
    throw new Fault('invalid_argument', 'Cannot run the skill: say as whom, with --as AGENT', {
      details: { fix: `to try it yourself: ${nextCommand(`skill test ${shellWord(name)}`, flags)}` },
    });
  const { as: agent } = flags;
  return await interruptible(host, async (signal) => {
    const params = await readJsonOption(flags.params, '--params', host);
    await using client = await openWorkspaceClient(flags, host, 'run a skill');
    const pid = await processOfAgent(client, agent);
    const answer = await makeCall(client, { pid, capability: 'skill.run', input: { name, params } }, flags, signal);
    const { output, error } = answer;
    if (output !== null && flags.json !== true) return await tellTrial({ output, error: null }, flags, host);
    const code = await tellAnswer(answer, flags, host);
    const fix = error === null || flags.json === true ? undefined : fixOf(error, name, flags);
    if (fix !== undefined) await host.stderr.write(`  ${fix}\n`);
    return code;
  });
}

/** What people can do about it, beside what the model is told to. */
function fixOf({ type, context }: NonNullable<CallAnswer['error']>, name: string, flags: WorkspaceFlags): string | undefined {
  const workspace = flags.workspace === DEFAULT_WORKSPACE ? '' : ` --workspace ${shellWord(flags.workspace)}`;
  const skill = shellWord(name);
  switch (type) {
    case 'SkillNotFound':
      return `those there are: ${nextCommand('skill list', flags)}`;
    case 'SkillNotEnabled':
      return `enable it: ${nextCommand(`skill enable ${skill}${workspace}`, flags)}`;
    case 'SkillNotApproved':
    case 'SkillNotRunnable':
      return `look at it: ${nextCommand(`skill show ${skill}`, flags)}`;
    case 'SecretUnavailable': {
      const words = `${shellWord(String(context?.['secret'] ?? 'SECRET'))} --skill ${skill}${workspace}`;
      return `keep it: ${nextCommand(`secret set ${words}`, flags)}, or bind one that is kept: ${nextCommand(`secret bind ${words}`, flags)}`;
    }
    default:
      return undefined;
  }
}

function linesOf(skill: SkillRecord): string {
  const { name, state, enabled, description, hash, program, license, compatibility, problems, instructions } = skill;
  const head = formatLabelled([
    ['skill', safeText(name)],
    ['state', `${state}, ${enabled ? 'enabled' : 'not enabled'} here`],
    ...problems.map((problem) => ['problem', safeText(problem)] as const),
    ['good for', safeText(description)],
    ['program', program === null ? 'none: instructions to follow' : safeText(program)],
    ...declaredBy(skill).map((line) => ['uses', line] as const),
    ...limitsOf(skill),
    ...(license === null ? [] : [['license', safeText(license)] as const]),
    ...(compatibility === null ? [] : [['needs', safeText(compatibility)] as const]),
    ['hash', hash === '' ? '-' : hash],
  ]);
  return `${head}${instructions === '' ? '' : `\n${safeLines(instructions)}\n`}`;
}

/** One line for each thing it gets beside its own files. */
function declaredBy({ secrets, hosts, mounts }: SkillRecord): readonly string[] {
  return [
    ...secrets.map(({ variable, secret }) => safeText(`secret ${secret} as ${variable}`)),
    ...hosts.map((host) => safeText(`host ${host}`)),
    ...mounts.map(({ path, writable }) => safeText(`folder ${path}, ${writable ? 'written' : 'read'}`)),
  ];
}

function limitsOf({ timeout_ms: timeout, memory_bytes: memory, output_bytes_max: output }: SkillRecord) {
  if (timeout === null || memory === null || output === null) return [];
  const MIB = 1_048_576;
  const size = (bytes: number): string => `${Math.round((bytes / MIB) * 10) / 10} MiB`;
  return [['limits', `${timeout / 1_000} s, ${size(memory)} of memory, ${size(output)} of output`] as const];
}

async function printJson(host: Host, value: object): Promise<number> {
  await host.stdout.write(`${safeJson(value, 2)}\n`);
  return 0;
}

function advised(flags: WorkspaceFlags) {
  return (error: unknown): never => {
    throw withWorkspaceAdvice(error, flags, 'skill list');
  };
}

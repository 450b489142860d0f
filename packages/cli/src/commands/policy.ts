/** `warren policy`: shows, checks, explains, tests, compares and takes over policies. */
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { PolicyFile } from '@warren/kernel';
import {
  createDescriber,
  diffPolicies,
  type FileProblem,
  importPolicy,
  type ParsedPolicies,
  POLICY_BYTES_MAX,
  type PolicyTexts,
  parsePolicies,
  placeOf,
  readPlainFile,
  readPolicyText,
  readPolicyTexts,
  sayProblem,
  shippedDefinitions,
  TEMPLATES,
  templateText,
  testPolicies,
} from '@warren/platform';
import { DEFAULT_WORKSPACE, Fault, formatDuration } from '@warren/protocol';
import type { Result } from '@warren/protocol/contract';
import { readCallInput, readObject } from '../internal/call-input.ts';
import { count } from '../internal/count.ts';
import { openClient, openWorkspaceClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { formatLabelled, type LabelledLine } from '../internal/labelled.ts';
import { rulePlace } from '../internal/rule-place.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { nextCommand, statePath } from '../internal/state-path.ts';
import { formatTable } from '../internal/table.ts';
import { isoMinute, isoSecond } from '../internal/time.ts';
import type { PolicyExplainFlags, PolicyImportFlags, PolicySimulateFlags } from '../program/policy-commands.ts';
import type { StateFlags, WorkspaceFlags } from '../program/state-options.ts';

const FOLDER = 'policies';
const WEEK_MS = 7 * 86_400_000;

export async function policyShow(flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'show the policies');
  const status = await client.call('policy.show', {});
  if (flags.json === true) return await printJson(host, status);
  if (status.files.length === 0) {
    await host.stdout.write('No policy files: the tier of each capability holds, and what no file can allow is blocked.\n');
    await host.stderr.write(`  begin with a template: ${nextCommand('policy init team-moderate', flags)}\n`);
  } else {
    const columns = [{ title: 'LAYER' }, { title: 'FILE' }, { title: 'RULES', align: 'right' }, { title: 'DEFAULT' }] as const;
    const rows = status.files.map(({ layer, file, rules, default: tier }) => [layer, safeText(file), `${rules}`, tier ?? '']);
    await host.stdout.write(formatTable(columns, rows, host.stdout.size?.columns ?? Number.POSITIVE_INFINITY));
    await host.stdout.write(`in force since ${isoSecond(status.loaded_at)}, version ${status.version.slice(0, 12)}\n`);
  }
  return await sayProblems(host, status.problems.map(toFileProblem));
}

export async function policyReload(flags: StateFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'reload the policies');
  const { files, problems, version } = await client.call('policy.reload', {});
  if (flags.json === true) {
    await printJson(host, { files: files.length, version, problems });
    return problems.some(({ severity }) => severity === 'error') ? 1 : 0;
  }
  await host.stdout.write(`${count(files.length, 'file')} in force, version ${version.slice(0, 12)}\n`);
  return await sayProblems(host, problems.map(toFileProblem));
}

export async function policyInit(template: string | undefined, flags: StateFlags, host: Host): Promise<number> {
  if (template === undefined) {
    if (flags.json === true) return await printJson(host, { templates: TEMPLATES });
    for (const name of TEMPLATES) await host.stdout.write(`${name}\n`);
    return 0;
  }
  const text = templateText(template);
  if (text === undefined)
    throw new Fault('not_found', `Cannot begin with ${JSON.stringify(template)}: the templates are ${TEMPLATES.join(', ')}`);
  const folder = join(statePath(host, flags.state), FOLDER);
  const file = join(folder, 'workspace.yaml');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeNew(file, text);
  if (flags.json === true) return await printJson(host, { file, template });
  await host.stdout.write(`${safeText(file)} is there; a running daemon has it in force at once.\n`);
  return 0;
}

export async function policyCheck(path: string | undefined, flags: StateFlags, host: Host): Promise<number> {
  const { problems, loaded } = await readSet(path ?? join(statePath(host, flags.state), FOLDER), host);
  const isUsable = !problems.some(({ severity }) => severity === 'error');
  if (flags.json === true) {
    await printJson(host, { is_usable: isUsable, files: loaded.length, rules: countRules(loaded), problems });
    return isUsable ? 0 : 1;
  }
  await sayProblems(host, problems);
  if (isUsable) await host.stdout.write(`${count(loaded.length, 'file')} with ${count(countRules(loaded), 'rule')} can be used\n`);
  return isUsable ? 0 : 1;
}

export async function policyExplain(capability: string, words: readonly string[], flags: PolicyExplainFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'explain a decision');
  const { input_schema } = await client.call('capability.describe', { name: capability });
  const input = readCallInput(words, input_schema, flags.input === undefined ? {} : readObject(flags.input, '--input'));
  const request = {
    ...{ agent: flags.as, capability, input },
    ...(flags.taint !== undefined && { taint: [...flags.taint] }),
    ...(flags.at !== undefined && { at: readTime(flags.at) }),
  };
  const decision = await client.call('policy.explain', request);
  if (flags.json === true) return await printJson(host, decision);
  const asked = safeText(`${capability} by ${flags.as}`);
  await host.stdout.write(formatLabelled([['asked', asked], ...explain(decision)]));
  return 0;
}

type Decision = Result<'policy.explain'>;
type Reference = NonNullable<Decision['rule']>;

function explain({ tier, rule, opinions, exception, exceeded, ask }: Decision): readonly LabelledLine[] {
  const people = `${ask.quorum} of ${ask.approvers.length === 0 ? 'anybody who may' : ask.approvers.join(', ')}`;
  return [
    ['decision', tier],
    ['because', rule === null ? 'no rule says anything: the tier of the capability holds' : place(rule)],
    ...opinions.flatMap(({ tier: opinion, rule: by }) => (by.file === null ? [] : [[by.layer, `${opinion}  ${place(by)}`] as const])),
    ...(exception === null ? [] : [['exception', place(exception)] as const]),
    ...(exceeded === null
      ? []
      : [
          [
            'limit',
            `${exceeded.max} ${exceeded.what} in ${formatDuration(exceeded.per_ms)} are used up; room again in ${formatDuration(exceeded.retry_after_ms)}`,
          ] as const,
        ]),
    ...(tier === 'approval_required' ? [['asks', people] as const] : []),
  ];
}

function place(rule: Reference): string {
  return safeText(`${rulePlace(rule)}${rule.reason === null ? '' : ` (${rule.reason})`}`);
}

export async function policyTest(path: string | undefined, flags: StateFlags, host: Host): Promise<number> {
  const parsed = await readSet(path ?? join(statePath(host, flags.state), FOLDER), host);
  const errors = parsed.problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) {
    await sayProblems(host, errors);
    return 1;
  }
  const results = testPolicies(parsed, host.now(), await describeCalls());
  const failed = results.filter(({ isPassed }) => !isPassed);
  if (flags.json === true) await printJson(host, { tests: results });
  else {
    for (const { file, name, expected, found } of failed) {
      const wanted = `${expected.tier}${expected.rule === undefined ? '' : ` by ${expected.rule}`}`;
      await host.stdout.write(
        `failed: ${safeText(`${file}: ${name}`)}: expected ${safeText(wanted)}, found ${safeText(`${found.tier} by ${found.rule ?? 'no rule'}`)}\n`,
      );
    }
    await host.stdout.write(`${results.length - failed.length} passed, ${failed.length} failed\n`);
  }
  return failed.length === 0 ? 0 : 1;
}

export async function policySimulate(path: string, flags: PolicySimulateFlags, host: Host): Promise<number> {
  const { texts, problems } = await readTexts(path, host);
  if ((await sayProblems(host, problems)) !== 0) return 1;
  const files = texts.map(({ found, content }) => ({ path: found.file, text: content }));
  await using client = await openClient(flags, host, 'simulate policies');
  const from = (host.now() - (flags.last ?? WEEK_MS)) / 1_000;
  const simulated = await client.call('policy.simulate', {
    files,
    from,
    limit: flags.limit,
    ...(flags.workspace !== undefined && { workspace: flags.workspace }),
  });
  if (flags.json === true) return await printJson(host, simulated);
  const failed = await sayProblems(host, simulated.problems.map(toFileProblem));
  if (failed !== 0) return failed;
  const { calls, same, stricter, milder, gone, changes } = simulated;
  await host.stdout.write(`${count(calls, 'call')}: ${same} the same, ${stricter} stricter, ${milder} milder\n`);
  if (gone > 0) await host.stdout.write(`${count(gone, 'call')} of capabilities that are not there any more: not decided\n`);
  const columns = [
    { title: 'ENTRY', align: 'right' },
    { title: 'TIME' },
    { title: 'AGENT' },
    { title: 'CALL' },
    { title: 'WAS' },
    { title: 'WOULD BE' },
    { title: 'BECAUSE' },
  ] as const;
  const rows = changes.map(({ seq, at, agent, capability, before, after, rule }) => [
    ...[`${seq}`, isoMinute(at), safeText(agent), safeText(capability), before, after, safeText(rule ?? 'no rule')],
  ]);
  if (rows.length > 0) await host.stdout.write(formatTable(columns, rows, host.stdout.size?.columns ?? Number.POSITIVE_INFINITY));
  return 0;
}

/** One path alone is what would come after the policies of the state directory. */
export async function policyDiff(path: string, other: string | undefined, flags: StateFlags, host: Host): Promise<number> {
  const [before, after] = other === undefined ? [join(statePath(host, flags.state), FOLDER), path] : [path, other];
  const [old, fresh] = [await readSet(before, host), await readSet(after, host)];
  const problems = [...old.problems, ...fresh.problems].filter(({ severity }) => severity === 'error');
  if (problems.length > 0) return await sayProblems(host, problems);
  const changes = diffPolicies(...(await comparable([before, old], [after, fresh], host)));
  if (flags.json === true) return await printJson(host, { changes });
  if (changes.length === 0) await host.stdout.write('no difference\n');
  for (const { kind, file, rule, before: was, after: is } of changes) {
    await host.stdout.write(`${kind} ${safeText(`${file} ${rule}`)}\n`);
    if (was !== undefined) await host.stdout.write(`  - ${safeText(was)}\n`);
    if (is !== undefined) await host.stdout.write(`  + ${safeText(is)}\n`);
  }
  return 0;
}

export async function policyImport(file: string, flags: PolicyImportFlags, host: Host): Promise<number> {
  const path = resolve(host.cwd(), file);
  const read = await readPlainFile(path, { bytesMax: POLICY_BYTES_MAX, mayBeLink: true });
  if (read.kind === 'refused') throw new Fault(read.code, `Cannot import ${path}: it ${read.reason}`, { details: { path } });
  const { text, agent, notes, problems } = importPolicy(read.bytes.toString('utf8'), basename(file));
  await sayProblems(host, problems);
  if (text === undefined) return 1;
  if (flags.out !== undefined) await writeNew(resolve(host.cwd(), flags.out), text);
  if (flags.json === true) return await printJson(host, { text, agent: agent ?? null, notes });
  if (flags.out === undefined) await host.stdout.write(text);
  for (const note of notes) await host.stderr.write(`warren: ${safeText(note)}\n`);
  if (agent !== undefined)
    await host.stderr.write(`warren: it is of agent ${safeText(agent)}: put it at policies/agents/${safeText(agent)}.yaml\n`);
  return 0;
}

/** What calls are about, by the definitions that ship with this program. */
async function describeCalls() {
  return createDescriber(await shippedDefinitions());
}

async function writeNew(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    throw new Fault('already_exists', `Cannot write ${path}: it is there`, {
      details: { path, fix: 'change that file, or remove it first' },
    });
  });
}

/** A file by itself, of any name, stands for the one of the workspace. */
function placeless(file: string): NonNullable<ReturnType<typeof placeOf>> {
  return { layer: 'workspace', file, workspace: DEFAULT_WORKSPACE, agent: undefined };
}

async function readTexts(path: string, host: Host): Promise<PolicyTexts> {
  const absolute = resolve(host.cwd(), path);
  const kind = await stat(absolute).catch(() => undefined); // Said below.
  if (kind === undefined) throw new Fault('not_found', `Cannot read ${absolute}: there is nothing`, { details: { path: absolute } });
  if (kind.isDirectory()) return await readPolicyTexts(absolute);
  return await readPolicyText(absolute, placeOf(basename(absolute)) ?? placeless(basename(absolute)));
}

async function readSet(path: string, host: Host): Promise<ParsedPolicies> {
  return parsePolicies(await readTexts(path, host));
}

type PolicySet = readonly [path: string, parsed: ParsedPolicies];

/** A file beside a folder is compared with that file of the folder: nothing is said of the others. */
async function comparable(one: PolicySet, other: PolicySet, host: Host): Promise<[readonly PolicyFile[], readonly PolicyFile[]]> {
  const isFolder = async ([path]: PolicySet): Promise<boolean> => (await stat(resolve(host.cwd(), path))).isDirectory();
  const [before, after] = [policiesOf(one[1]), policiesOf(other[1])];
  const [isOneFolder, isOtherFolder] = [await isFolder(one), await isFolder(other)];
  if (isOneFolder === isOtherFolder) return [before, after];
  const [files, compared] = isOneFolder ? [before, after] : [after, before];
  const same = files.filter(({ file }) => compared.some((each) => each.file === file));
  return isOneFolder ? [same, after] : [before, same];
}

function policiesOf({ loaded }: ParsedPolicies) {
  return loaded.map(({ policy }) => (placeOf(policy.file) === undefined ? { ...policy, file: 'workspace.yaml' } : policy));
}

function countRules(loaded: ParsedPolicies['loaded']): number {
  return loaded.reduce((sum, { policy }) => sum + policy.rules.length, 0);
}

function readTime(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms))
    throw new Fault('invalid_argument', `Cannot use --at ${JSON.stringify(text)}: it is no time such as 2026-11-21T22:00Z`);
  return ms / 1_000;
}

function toFileProblem({ line, ...problem }: Result<'policy.show'>['problems'][number]): FileProblem {
  return { ...problem, line: line ?? undefined };
}

/** 1 when one of them is an error. */
async function sayProblems(host: Host, problems: readonly FileProblem[]): Promise<number> {
  for (const problem of problems) await host.stderr.write(`${problem.severity}: ${safeText(sayProblem(problem))}\n`);
  return problems.some(({ severity }) => severity === 'error') ? 1 : 0;
}

async function printJson(host: Host, value: unknown): Promise<number> {
  await host.stdout.write(`${safeJson(value, 2)}\n`);
  return 0;
}

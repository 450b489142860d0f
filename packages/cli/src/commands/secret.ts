/** `warren secret`: what agents use without seeing it, through the daemon. */
import { readFile, stat } from 'node:fs/promises';
import type { Client } from '@warren/client';
import { Fault, isFault } from '@warren/protocol';
import type { SecretDetailsRecord, SecretRecord } from '@warren/protocol/contract';
import { count } from '../internal/count.ts';
import { openWorkspaceClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { readPassphrase } from '../internal/read-passphrase.ts';
import { readSecretValue, refuseValueWords } from '../internal/read-secret-value.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { nextCommandIn } from '../internal/state-path.ts';
import { formatTable } from '../internal/table.ts';
import { withWorkspaceAdvice } from '../internal/workspace-advice.ts';
import type {
  BindingFlags,
  SecretBindFlags,
  SecretImportFlags,
  SecretListFlags,
  SecretRotateFlags,
  SecretSetFlags,
} from '../program/secret-commands.ts';
import type { WorkspaceFlags } from '../program/state-options.ts';

export type EarlierEntry =
  | { readonly kind: 'read'; readonly skill: string; readonly values: Readonly<Record<string, string>> }
  | { readonly kind: 'damaged'; readonly skill: string; readonly why: 'sealed' | 'malformed' };

export interface SecretImportParts {
  readEarlierCredentials(content: Uint8Array, passphrase: string): Promise<readonly EarlierEntry[]>;
}

const PAGE = 1_000;
/** Of values that are taken out of whatever leaves. */
const LOOKED_FOR_BYTES_MIN = 6;
const FILE_BYTES_MAX = 16_777_216;
/** What a secret for a host alone is for. */
const REQUESTS = 'network.credentialed_request';

export async function secretSet(name: string, words: readonly string[], flags: SecretSetFlags, host: Host): Promise<number> {
  refuseValueWords(words, flags);
  await using client = await openWorkspaceClient(flags, host, 'keep a secret');
  const bindings = await bindingsOf(client, name, flags).catch(advised(flags));
  const terms = {
    ...(flags.type !== undefined && { type: flags.type }),
    ...(flags.purpose !== undefined && { purpose: flags.purpose }),
    ...(bindings !== undefined && { bindings }),
  };
  return await putAndSay(client, name, terms, flags, host);
}

export async function secretRotate(name: string, words: readonly string[], flags: SecretRotateFlags, host: Host): Promise<number> {
  refuseValueWords(words, flags);
  await using client = await openWorkspaceClient(flags, host, 'rotate a secret');
  await client.call('secret.get', { name }).catch(advised(flags)); // None is made by a name that is mistyped.
  return await putAndSay(client, name, {}, flags, host);
}

export async function secretList(flags: SecretListFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'list secrets');
  const secrets: SecretRecord[] = [];
  for (let after: string | undefined; ; ) {
    const page = await client.call('secret.list', { limit: PAGE, ...(after !== undefined && { after }) }).catch(advised(flags));
    secrets.push(...page.secrets);
    after = page.secrets.at(-1)?.name;
    if (page.secrets.length < PAGE) break;
  }
  if (flags.json === true) {
    await host.stdout.write(`${safeJson({ secrets }, 2)}\n`);
    return 0;
  }
  if (flags.names === true) {
    for (const { name } of secrets) await host.stdout.write(`${safeText(name)}\n`);
    return 0;
  }
  const titles = ['NAME', 'TYPE', 'VERSION', 'STATE', 'BOUND TO', 'PURPOSE'].map((title) => ({ title }));
  const rows = secrets.map((secret) => [
    ...[
      safeText(secret.name),
      safeText(secret.type),
      String(secret.version),
      stateWord(secret),
      boundWords(secret),
      safeText(secret.purpose),
    ],
  ]);
  if (rows.length > 0) await host.stdout.write(formatTable(titles, rows, host.stdout.size?.columns ?? Number.POSITIVE_INFINITY));
  else await host.stderr.write(`warren: no secrets; to keep one: ${nextCommandIn('secret set NAME', flags)}\n`);
  return 0;
}

export async function secretShow(name: string, flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'show a secret');
  const secret = await client.call('secret.get', { name }).catch(advised(flags));
  await host.stdout.write(flags.json === true ? `${safeJson(secret, 2)}\n` : linesOf(secret));
  return 0;
}

export async function secretBind(name: string, flags: SecretBindFlags, host: Host): Promise<number> {
  return await change(name, flags, host, 'bind');
}

export async function secretUnbind(name: string, flags: SecretBindFlags, host: Host): Promise<number> {
  return await change(name, flags, host, 'unbind');
}

export async function secretRollback(name: string, version: number, flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'roll a secret back');
  return await say(await client.call('secret.rollback', { name, version }).catch(advised(flags)), flags, host);
}

export async function secretRevoke(name: string, flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'revoke a secret');
  return await say(await client.call('secret.revoke', { name }).catch(advised(flags)), flags, host);
}

export async function secretRestore(name: string, flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'restore a secret');
  return await say(await client.call('secret.restore', { name }).catch(advised(flags)), flags, host);
}

/** Returns 1 when one of them was not there. */
export async function secretDelete(names: readonly string[], flags: WorkspaceFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'delete secrets');
  const deleted: string[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const answer = await client.call('secret.delete', { name }).catch(advised(flags));
    (answer.deleted ? deleted : missing).push(name);
  }
  if (flags.json === true) await host.stdout.write(`${safeJson({ deleted, missing }, 2)}\n`);
  else for (const name of missing) await host.stderr.write(`warren: cannot delete "${safeText(name)}": there is no such secret\n`);
  return missing.length === 0 ? 0 : 1;
}

/** Returns 1 when something could not be taken over. */
export async function secretImport(file: string, flags: SecretImportFlags, host: Host, parts: SecretImportParts): Promise<number> {
  const content = await readWhole(file);
  const passphrase = await readPassphrase(flags, host, 'known');
  const entries = await parts.readEarlierCredentials(content, passphrase);
  await using client = await openWorkspaceClient(flags, host, 'import secrets');
  const imported: string[] = [];
  const refused: { readonly name: string; readonly why: string }[] = [];
  for (const entry of entries) {
    if (entry.kind === 'damaged') {
      refused.push({
        name: entry.skill,
        why: entry.why === 'sealed' ? 'it was changed or locked with another passphrase' : 'it is damaged',
      });
      continue;
    }
    for (const [variable, value] of Object.entries(entry.values)) {
      const name = `${entry.skill}/${variable}`;
      try {
        await put(client, name, Buffer.from(value), {
          purpose: `Variable ${variable} of skill ${entry.skill}`,
          bindings: { skills: [entry.skill] },
        });
        imported.push(name);
      } catch (error) {
        if (!isFault(error, 'invalid_argument')) return advised(flags)(error);
        refused.push({ name, why: error.message });
      }
    }
  }
  if (flags.json === true) await host.stdout.write(`${safeJson({ imported, refused }, 2)}\n`);
  else {
    for (const name of imported) await host.stdout.write(`${safeText(name)}\n`);
    for (const { name, why } of refused) await host.stderr.write(`warren: not imported: ${safeText(name)}: ${safeText(why)}\n`);
    await host.stderr.write(`warren: ${count(imported.length, 'secret')} imported, ${refused.length} not\n`);
  }
  return refused.length === 0 ? 0 : 1;
}

type Terms = { readonly type?: SecretSetFlags['type'] & string; readonly purpose?: string; readonly bindings?: Bindings };
type Bindings = { readonly hosts?: string[]; readonly capabilities?: string[]; readonly skills?: string[] };

async function put(client: Client, name: string, value: Buffer, terms: Terms): Promise<SecretRecord> {
  try {
    return await client.call('secret.set', { name, value: value.toString('base64'), value_encoding: 'base64', ...terms });
  } finally {
    value.fill(0);
  }
}

async function putAndSay(client: Client, name: string, terms: Terms, flags: SecretSetFlags, host: Host): Promise<number> {
  const value = await readSecretValue(name, flags, host);
  const { byteLength } = value;
  const code = await say(await put(client, name, value, terms).catch(advised(flags)), flags, host);
  if (byteLength < LOOKED_FOR_BYTES_MIN)
    await host.stderr.write(
      `warren: a value of fewer than ${LOOKED_FOR_BYTES_MIN} bytes is not taken out of what calls answer and record: it stands in ordinary text by chance\n`,
    );
  return code;
}

async function change(name: string, flags: SecretBindFlags, host: Host, how: 'bind' | 'unbind'): Promise<number> {
  if ((flags.host ?? flags.capability ?? flags.skill) === undefined)
    throw new Fault('invalid_argument', `Cannot ${how} the secret: say what, with --host, --capability or --skill`, {
      details: { option: '--host' },
    });
  await using client = await openWorkspaceClient(flags, host, `${how} a secret`);
  const bindings = how === 'bind' ? await bindingsOf(client, name, flags).catch(advised(flags)) : named(flags);
  return await say(await client.call('secret.change', { name, [how]: bindings }).catch(advised(flags)), flags, host);
}

/** A host is for requests to it, unless something else is said or the secret is for something already: nobody who adds a host to what `mail.send` uses means requests. */
async function bindingsOf(client: Client, name: string, flags: BindingFlags): Promise<Bindings | undefined> {
  if (flags.host === undefined || flags.capability !== undefined || (await hasCapabilities(client, name))) return named(flags);
  return named({ ...flags, capability: [REQUESTS] });
}

async function hasCapabilities(client: Client, name: string): Promise<boolean> {
  try {
    return (await client.call('secret.get', { name })).bindings.capabilities.length > 0;
  } catch (error) {
    if (isFault(error, 'not_found')) return false; // Who is told depends on what is done: one that is set is made.
    throw error;
  }
}

function named({ host: hosts, capability: capabilities, skill: skills }: BindingFlags): Bindings | undefined {
  const given = Object.entries({ hosts, capabilities, skills }).filter(([, list]) => list !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given.map(([list, items]) => [list, [...(items ?? [])]]));
}

async function readWhole(file: string): Promise<Uint8Array> {
  try {
    if ((await stat(file)).size <= FILE_BYTES_MAX) return await readFile(file);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new Fault('invalid_argument', `Cannot import ${safeText(file)}: ${why}`, { cause: error });
  }
  throw new Fault('too_large', `Cannot import ${safeText(file)}: it has more than ${FILE_BYTES_MAX} bytes`);
}

async function say(secret: SecretRecord, flags: WorkspaceFlags, host: Host): Promise<number> {
  if (flags.json === true) {
    await host.stdout.write(`${safeJson(secret, 2)}\n`);
    return 0;
  }
  await host.stdout.write(`${safeText(secret.name)}: version ${secret.version}, ${stateWord(secret)}, bound to ${boundWords(secret)}\n`);
  if (!isUsable(secret)) {
    const fix = nextCommandIn(`secret bind ${safeText(secret.name)} --host HOST`, flags);
    await host.stderr.write(`warren: nothing can use it as it is bound; to let it: ${fix}\n`);
  }
  return 0;
}

function isUsable({ bindings: { hosts, capabilities, skills } }: SecretRecord): boolean {
  return skills.length > 0 || (hosts.length > 0 && capabilities.length > 0);
}

function stateWord({ revoked_at: revokedAt }: SecretRecord): string {
  return revokedAt === null ? 'in use' : 'revoked';
}

function boundWords({ bindings: { hosts, capabilities, skills } }: SecretRecord): string {
  const parts = [
    ...(hosts.length === 0 ? [] : [hosts.join(' ')]),
    ...(capabilities.length === 0 ? [] : [`for ${capabilities.join(' ')}`]),
    ...(skills.length === 0 ? [] : [`skill ${skills.join(' ')}`]),
  ];
  return parts.length === 0 ? 'nothing' : safeText(parts.join(', '));
}

function linesOf(secret: SecretDetailsRecord): string {
  const rows = [
    ['name', secret.name],
    ['type', secret.type],
    ['purpose', secret.purpose],
    ['state', secret.revoked_at === null ? 'in use' : `revoked since ${timeWord(secret.revoked_at)}`],
    ['hosts', secret.bindings.hosts.join(' ')],
    ['capabilities', secret.bindings.capabilities.join(' ')],
    ['skills', secret.bindings.skills.join(' ')],
    ['versions', secret.versions.map(({ version, created_at: at }) => `${version} (${timeWord(at)})`).join(', ')],
    ['changed', timeWord(secret.updated_at)],
  ] as const;
  return rows.map(([name, text]) => `${name.padEnd(13)} ${safeText(text === '' ? '-' : text)}\n`).join('');
}

function timeWord(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace(/:\d\d\.\d+Z$/, 'Z');
}

function advised(flags: WorkspaceFlags) {
  return (error: unknown): never => {
    throw withWorkspaceAdvice(error, flags, 'secret list');
  };
}

/** `warren person`: who signs in, through the daemon. */
import { Fault } from '@warren/protocol';
import type { PersonRecord } from '@warren/protocol/contract';
import { openClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { hintAbout, readPassphrase } from '../internal/read-passphrase.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { nextCommand } from '../internal/state-path.ts';
import { formatTable } from '../internal/table.ts';
import { withWorkspaceAdvice } from '../internal/workspace-advice.ts';
import type { IdentityFlags, PersonCreateFlags, PersonListFlags, PersonUpdateFlags } from '../program/person-commands.ts';
import type { StateFlags } from '../program/state-options.ts';

export async function personCreate(name: string, flags: PersonCreateFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'create a person');
  const passphrase = wantsPassphrase(flags) ? await readPassphrase(flags, host) : undefined;
  const terms = {
    name,
    ...(flags.group !== undefined && { groups: [...flags.group] }),
    ...identityTerms(flags),
    ...(passphrase !== undefined && { passphrase }),
  };
  const { workspace, role } = flags;
  const made =
    flags.operator === true
      ? await client.call('person.create_operator', terms)
      : await client.call('person.create', { ...terms, workspace, role }).catch((error: unknown) => {
          throw withWorkspaceAdvice(error, flags);
        });
  await hintAbout(passphrase, name, host);
  return await say(made, `${safeText(name)} may sign in as ${holderWord(made)}\n`, flags, host);
}

export async function personList(flags: PersonListFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'list people');
  const found = await client
    .call('person.list', flags.workspace === undefined ? {} : { workspace: flags.workspace })
    .catch((error: unknown) => {
      throw withWorkspaceAdvice(error, flags);
    });
  const titles = ['NAME', 'MAY SIGN IN AS', 'GROUPS', 'BY', 'STATE', 'SINCE'].map((title) => ({ title }));
  const rows = found.people.map((person) => [
    ...[safeText(person.name), holderWord(person), safeText(person.groups.join(' ')), wayWord(person)],
    ...[person.disabled_at === null ? 'enabled' : 'disabled', new Date(person.created_at * 1_000).toISOString().slice(0, 10)],
  ]);
  if (flags.json === true) await host.stdout.write(`${safeJson(found, 2)}\n`);
  else if (rows.length > 0) await host.stdout.write(formatTable(titles, rows, host.stdout.size?.columns ?? Number.POSITIVE_INFINITY));
  else await host.stderr.write(`warren: no people; to make one: ${nextCommand('person create NAME', flags)}\n`);
  return 0;
}

export async function personUpdate(name: string, flags: PersonUpdateFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'change a person');
  const isNew = flags.passphrase === true || flags.passphraseFile !== undefined;
  const passphrase = isNew ? await readPassphrase(flags, host) : undefined;
  const changed = await client.call('person.update', {
    name,
    ...(flags.role !== undefined && { role: flags.role }),
    ...(flags.groups === false && { groups: [] }),
    ...(flags.group !== undefined && { groups: [...flags.group] }),
    ...identityTerms(flags),
    ...(flags.passphrase === false && { passphrase: null }),
    ...(passphrase !== undefined && { passphrase }),
  });
  await hintAbout(passphrase, name, host);
  return await say(changed, `${safeText(name)} may sign in as ${holderWord(changed)}; earlier sessions have ended\n`, flags, host);
}

export async function personDisable(name: string, flags: StateFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'disable a person');
  const done = await client.call('person.disable', { name });
  return await say(done, `${safeText(name)} ${done.changed ? 'is' : 'was'} let in no more\n`, flags, host);
}

export async function personEnable(name: string, flags: StateFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'enable a person');
  const done = await client.call('person.enable', { name });
  return await say(done, `${safeText(name)} ${done.changed ? 'may' : 'could'} sign in${done.changed ? ' again' : ''}\n`, flags, host);
}

/** Returns 1 when there is nobody of this name. */
export async function personDelete(name: string, flags: StateFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'delete a person');
  const done = await client.call('person.delete', { name });
  await say(done, done.deleted ? `${safeText(name)} is deleted\n` : `There is nobody called ${safeText(name)}\n`, flags, host);
  return done.deleted ? 0 : 1;
}

/** Who signs in through a provider needs none. */
function wantsPassphrase({ passphrase, passphraseFile, issuer }: PersonCreateFlags): boolean {
  return passphrase !== false && (issuer === undefined || passphraseFile !== undefined);
}

function identityTerms({ issuer, subject, identity }: IdentityFlags): { readonly identity?: { issuer: string; subject: string } | null } {
  if (issuer !== undefined && subject !== undefined) return { identity: { issuer, subject } };
  if (issuer === undefined && subject === undefined) return identity === false ? { identity: null } : {};
  throw new Fault('invalid_argument', 'Cannot link an identity: it takes both --issuer and --subject', {
    details: { option: issuer === undefined ? '--issuer' : '--subject' },
  });
}

async function say(document: object, words: string, { json }: StateFlags, host: Host): Promise<number> {
  await host.stdout.write(json === true ? `${safeJson(document, 2)}\n` : words);
  return 0;
}

function holderWord({ workspace, role }: PersonRecord): string {
  return workspace === null ? 'operator' : `${role ?? 'nobody'} of workspace ${safeText(workspace)}`;
}

function wayWord({ has_passphrase, identity }: PersonRecord): string {
  return [...(has_passphrase ? ['passphrase'] : []), ...(identity === null ? [] : [safeText(identity.issuer)])].join(', ') || 'nothing';
}

/** `warren vault`: what the secrets are locked with, through the daemon. */
import type { Client } from '@warren/client';
import { Fault, isFault } from '@warren/protocol';
import type { VaultStatusRecord } from '@warren/protocol/contract';
import { count } from '../internal/count.ts';
import { openClient, openWorkspaceClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { askHidden, hintAbout, readPassphrase, requireSame } from '../internal/read-passphrase.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { nextCommand } from '../internal/state-path.ts';
import { withWorkspaceAdvice } from '../internal/workspace-advice.ts';
import type { VaultPassphraseFlags, VaultRotateFlags, VaultUnlockFlags } from '../program/secret-commands.ts';
import type { StateFlags } from '../program/state-options.ts';

/** Returns 1 when it is locked. */
export async function vaultStatus(flags: StateFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'ask about the vault');
  const status = await client.call('vault.status', {});
  await say(status, flags, host);
  return status.state === 'locked' ? 1 : 0;
}

export async function vaultUnlock(flags: VaultUnlockFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'unlock the vault');
  const before = await client.call('vault.status', {});
  const after = before.state === 'unlocked' ? before : await unlock(client, before, flags, host);
  await say(after, flags, host);
  return 0;
}

async function unlock(client: Client, { key }: VaultStatusRecord, flags: VaultUnlockFlags, host: Host): Promise<VaultStatusRecord> {
  const with_ = async (kind: 'new' | 'known') => await client.call('vault.unlock', { passphrase: await readPassphrase(flags, host, kind) });
  if (key === 'passphrase') return await with_('known');
  try {
    return await client.call('vault.unlock', {});
  } catch (error) {
    if (key !== null || !isFault(error, 'vault_locked')) throw error;
    await host.stderr.write('warren: there is no vault yet; this passphrase will unlock it from now on\n');
    return await with_('new');
  }
}

export async function vaultPassphrase(flags: VaultPassphraseFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'change what unlocks the vault');
  const { key } = await client.call('vault.status', {});
  const given = await readBoth(key === 'passphrase', flags, host);
  await say(await client.call('vault.change_passphrase', given), flags, host);
  await hintAbout(given.passphrase, '', host);
  return 0;
}

type Given = { readonly passphrase?: string; readonly current?: string };

/** What is typed is asked for at once: the terminal is given back after that. */
async function readBoth(needsCurrent: boolean, flags: VaultPassphraseFlags, host: Host): Promise<Given> {
  const { passphraseFile, currentFile, configured } = flags;
  if (passphraseFile === '-' && currentFile === '-')
    throw new Fault('invalid_argument', 'Cannot read both passphrases from standard input', { details: { option: '--current-file' } });
  const asksCurrent = needsCurrent && currentFile === undefined;
  const asksNew = configured !== true && passphraseFile === undefined;
  if ((asksCurrent || asksNew) && !host.stdin.isTerminal)
    throw new Fault(
      'invalid_argument',
      `Cannot ask for a passphrase: there is no terminal; give it with ${asksNew ? '--passphrase-file' : '--current-file'} FILE`,
      {
        details: { option: asksNew ? '--passphrase-file' : '--current-file' },
      },
    );
  const prompts = [...(asksCurrent ? ['Passphrase now: '] : []), ...(asksNew ? ['New passphrase: ', 'Once more: '] : [])];
  const typed = prompts.length === 0 ? [] : await askHidden(prompts, host);
  const [first = '', second] = asksCurrent ? typed.slice(1) : typed;
  if (asksNew) requireSame(first, second);
  const fromFile = async (file: string) => await readPassphrase({ passphraseFile: file }, host, 'known');
  const current = asksCurrent ? typed[0] : needsCurrent && currentFile !== undefined ? await fromFile(currentFile) : undefined;
  const passphrase = asksNew ? first : passphraseFile === undefined ? undefined : await fromFile(passphraseFile);
  return { ...(passphrase !== undefined && { passphrase }), ...(current !== undefined && { current }) };
}

export async function vaultRotate(flags: VaultRotateFlags, host: Host): Promise<number> {
  const { workspace } = flags;
  if (workspace === undefined) {
    await using client = await openClient(flags, host, 'rotate the keys of the vault');
    const done = await client.call('vault.rotate_root', {});
    await host.stdout.write(
      flags.json === true ? `${safeJson(done, 2)}\n` : 'The keys of all workspaces are wrapped with a new root key\n',
    );
    return 0;
  }
  await using client = await openWorkspaceClient({ ...flags, workspace }, host, 'rotate the key of a workspace');
  const done = await client.call('secret.rotate_key', {}).catch((error: unknown) => {
    throw withWorkspaceAdvice(error, flags);
  });
  const text = `${count(done.sealed, 'secret')} of ${safeText(workspace)} sealed under a new key\n`;
  await host.stdout.write(flags.json === true ? `${safeJson(done, 2)}\n` : text);
  return 0;
}

async function say(status: VaultStatusRecord, flags: StateFlags, host: Host): Promise<void> {
  if (flags.json === true) {
    await host.stdout.write(`${safeJson(status, 2)}\n`);
    return;
  }
  const { state, key, key_beside: isBeside, reason } = status;
  const words = {
    absent: 'There is no vault yet: it is made with the first secret',
    locked: 'The vault is locked',
    unlocked: 'The vault is unlocked',
  };
  await host.stdout.write(`${words[state]}${key === null ? '' : ` (${KEYS[key]})`}\n`);
  if (reason !== null) await host.stdout.write(`  ${safeText(reason)}\n`);
  if (state === 'locked') await host.stdout.write(`  fix: ${nextCommand('vault unlock', flags)}\n`);
  if (isBeside && state !== 'locked')
    await host.stdout.write(
      `  its key lies in the state directory, beside what it protects; to lock it with a passphrase: ${nextCommand('vault passphrase', flags)}\n`,
    );
}

const KEYS = {
  passphrase: 'a passphrase unlocks it',
  file: 'a key file unlocks it',
  systemd: 'a credential of systemd unlocks it',
  command: 'what a command prints unlocks it',
} as const;

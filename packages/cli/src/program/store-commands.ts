/** Commands about the store: backup and restore. `doctor --store` stands with doctor. */
import type { Command } from 'commander';
import { type StateFlags, withJson, withState } from './state-options.ts';

export type BackupFlags = StateFlags & { readonly withKey?: true };
export type RestoreFlags = StateFlags & { readonly force?: true };

export interface StoreActions {
  backup(file: string, flags: BackupFlags): Promise<void>;
  restore(file: string, flags: RestoreFlags): Promise<void>;
}

export function addBackup(program: Command, actions: StoreActions): void {
  withJson(
    withState(
      program
        .command('backup')
        .summary('copy the store, the vault and what is configured to a file')
        .description(
          'Copies the whole store, as it is at one moment, with the vault, configuration, hooks, MCP servers and policies, to a new file, which only you may read. The key of the vault stays here unless it is asked for; a passphrase is nowhere. What workspaces have beside the store (memories, sessions, files) is not in it: warren workspace export. The daemon may go on meanwhile.',
        )
        .argument('<file>', 'where to; it must not exist')
        .addHelpText('after', BACKUP_HELP),
    ).option('--with-key', 'with the key file of the vault: whoever has this backup has its secrets then'),
  ).action((file: string, flags: BackupFlags) => actions.backup(file, flags));
}

export function addRestore(program: Command, actions: StoreActions): void {
  withJson(
    withState(
      program
        .command('restore')
        .summary('take the store from a backup')
        .description(
          'Puts a backup in the place of the store and of the vault, after checking it; configuration and policies come where there are none. The daemon must not run.',
        )
        .argument('<file>', 'a file that `warren backup` made'),
    ).option('--force', 'also when there is a store; it and the vault are kept beside, as kernel.db.before-restore-TIME-…'),
  ).action((file: string, flags: RestoreFlags) => actions.restore(file, flags));
}

const BACKUP_HELP = `
Examples:
  $ warren backup ~/warren-$(date +%F).db
  $ warren stop && warren restore --force ~/warren-2026-01-31.db && warren serve --detach`;

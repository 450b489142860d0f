/** Commands about the store: backup and restore. `doctor --store` stands with doctor. */
import type { Command } from 'commander';
import { type StateFlags, withJson, withState } from './state-options.ts';

export type RestoreFlags = StateFlags & { readonly force?: true };

export interface StoreActions {
  backup(file: string, flags: StateFlags): Promise<void>;
  restore(file: string, flags: RestoreFlags): Promise<void>;
}

export function addBackup(program: Command, actions: StoreActions): void {
  withJson(
    withState(
      program
        .command('backup')
        .summary('copy the store to a file')
        .description('Copies the whole store, as it is at one moment, to a new file. The daemon may go on meanwhile.')
        .argument('<file>', 'where to; it must not exist')
        .addHelpText('after', BACKUP_HELP),
    ),
  ).action((file: string, flags: StateFlags) => actions.backup(file, flags));
}

export function addRestore(program: Command, actions: StoreActions): void {
  withJson(
    withState(
      program
        .command('restore')
        .summary('take the store from a backup')
        .description('Puts a backup in the place of the store, after checking it. The daemon must not run.')
        .argument('<file>', 'a file that `warren backup` made'),
    ).option('--force', 'also when there is a store; it is kept beside, as kernel.db.before-restore-TIME-…'),
  ).action((file: string, flags: RestoreFlags) => actions.restore(file, flags));
}

const BACKUP_HELP = `
Examples:
  $ warren backup ~/warren-$(date +%F).db
  $ warren stop && warren restore --force ~/warren-2026-01-31.db && warren serve --detach`;

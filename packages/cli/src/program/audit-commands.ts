/** `warren audit`: what happened, and proofs that it is all there. */
import { type Command, Option } from 'commander';
import { parseLongDuration } from '../internal/duration.ts';
import { parseCount, parseNatural } from '../internal/number.ts';
import { type StateFlags, withDaemon, withJson, withState } from './state-options.ts';

export type AuditFilterFlags = StateFlags & {
  readonly workspace?: string;
  readonly agent?: string;
  readonly pid?: number;
  readonly action?: string;
  readonly kind?: 'syscall' | 'question' | 'answer' | 'operator' | 'policy' | 'system';
  readonly outcome?: 'begun' | 'success' | 'failure' | 'denied' | 'pending' | 'unknown';
  readonly call?: string;
  readonly last?: number;
  readonly limit: number;
};
export type AuditTailFlags = AuditFilterFlags & { readonly follow?: true };
export type AuditVerifyFlags = StateFlags & { readonly directory?: string; readonly key?: string; readonly anchor?: readonly string[] };
export type AuditExportFlags = AuditFilterFlags & { readonly format: 'jsonl' | 'csv' | 'ocsf'; readonly out?: string };

export type AuditRestartFlags = StateFlags & { readonly confirm?: string };

export interface AuditActions {
  auditTail(flags: AuditTailFlags): Promise<void>;
  auditSearch(flags: AuditFilterFlags): Promise<void>;
  auditShow(seq: number, flags: StateFlags): Promise<void>;
  auditHead(flags: StateFlags): Promise<void>;
  auditVerify(flags: AuditVerifyFlags): Promise<void>;
  auditProve(seq: number, flags: StateFlags & { readonly from?: number }): Promise<void>;
  auditExport(flags: AuditExportFlags): Promise<void>;
  auditRestart(flags: AuditRestartFlags): Promise<void>;
}

const KINDS = ['syscall', 'question', 'answer', 'operator', 'policy', 'system'] as const;
const OUTCOMES = ['begun', 'success', 'failure', 'denied', 'pending', 'unknown'] as const;
const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

export function addAudit(program: Command, actions: AuditActions): void {
  const audit = program
    .command('audit')
    .summary('see what happened, and prove it')
    .description('Every call, decision and change is in the audit: files that show when they were tampered with.')
    .addHelpText('after', HELP);

  withFilter(
    audit.command('tail').summary('the newest entries, and with --follow what happens').description('Shows the newest entries.'),
    20,
  )
    .option('-f, --follow', 'go on with what happens')
    .action((flags: AuditTailFlags) => actions.auditTail(flags));

  withFilter(audit.command('search').summary('find entries').description('Finds entries, the newest first.'), 100).action(
    (flags: AuditFilterFlags) => actions.auditSearch(flags),
  );

  withJson(
    withDaemon(
      audit
        .command('show')
        .summary('show one entry whole')
        .description('Shows one entry, everything it says.')
        .argument('<number>', 'its number', parseEntry),
    ),
  ).action((seq: number, flags: StateFlags) => actions.auditShow(seq, flags));

  withJson(
    withDaemon(
      audit
        .command('head')
        .summary('the signed head of the tree')
        .description(
          'Prints the newest signed head and the public key. Whoever keeps a head can prove later that nothing before it changed.',
        ),
    ),
  ).action((flags: StateFlags) => actions.auditHead(flags));

  withJson(
    withState(
      audit
        .command('verify')
        .summary('check every entry, hash and signature')
        .description(
          'Checks the files of an audit: nothing was changed, left out, moved or cut off. Needs only the files and the public key, no daemon.',
        ),
    )
      .option('--directory <directory>', 'the audit (default: that of the state directory)')
      .option('--key <file>', 'the public key (default: that beside the files; give your own copy to trust nobody)')
      .option('--anchor <file>', 'a head that was kept, as `warren audit head --json` prints it; repeatable', collect),
  ).action((flags: AuditVerifyFlags) => actions.auditVerify(flags));

  withJson(
    withDaemon(
      audit
        .command('prove')
        .summary('prove that an entry is there')
        .description('Prints a proof that an entry is part of the tree; with --from a proof that the tree begins with the tree of then.')
        .argument('<number>', 'the number of the entry, or with --from the size of the later tree', parseEntry),
    ).option('--from <size>', 'the size of the earlier tree', (text: string) => parseNatural(text, '--from')),
  ).action((seq: number, flags: StateFlags & { readonly from?: number }) => actions.auditProve(seq, flags));

  withFilter(audit.command('export').summary('write entries for other programs').description('Writes entries, oldest first.'), 1_000_000)
    .addOption(new Option('--format <name>', 'how').choices(['jsonl', 'csv', 'ocsf']).default('jsonl'))
    .option('--out <file>', 'to a file instead of standard output')
    .action((flags: AuditExportFlags) => actions.auditExport(flags));

  withJson(
    withState(
      audit
        .command('restart')
        .summary('go on with a new audit when the old one is lost')
        .description(
          'Lets the next start begin a new audit, which says in its first entry that it did and why. What is left of the old one is kept beside it. No daemon may run.',
        ),
    ).option('--confirm <reason>', 'yes, and why: it is recorded'),
  ).action((flags: AuditRestartFlags) => actions.auditRestart(flags));
}

function parseEntry(text: string): number {
  return parseNatural(text, 'the number of an entry');
}

function withFilter(command: Command, limit: number): Command {
  return withJson(withDaemon(command))
    .option('--workspace <name>', 'only of this workspace')
    .option('--agent <name>', 'only of this agent')
    .option('--pid <pid>', 'only of this process', (text: string) => parseCount(text, '--pid'))
    .option('--action <name>', 'only this capability or operation: git.push, filesystem.*')
    .addOption(new Option('--kind <name>', 'only of this kind').choices(KINDS))
    .addOption(new Option('--outcome <name>', 'only with this outcome').choices(OUTCOMES))
    .option('--call <id>', 'only of this call')
    .option('--last <duration>', 'only of this time: 1h, 7d', (text: string) => parseLongDuration(text, '--last'))
    .option('--limit <number>', 'how many', (text: string) => parseCount(text, '--limit'), limit);
}

const HELP = `
Examples:
  $ warren audit tail --follow
  $ warren audit search --agent builder --outcome denied --last 7d
  $ warren audit head --json > head.json        keep it somewhere else
  $ warren audit verify --anchor head.json`;

/** The methods programs can call: what there is, and what one of them takes and answers. */
import { Fault } from '@warren/protocol';
import type { Effect, Operation, Scope } from '@warren/protocol/contract';
import type { Host } from '../../internal/host.ts';
import { formatLabelled } from '../../internal/labelled.ts';
import { safeJson, safeText } from '../../internal/safe-text.ts';
import { type SchemaField, schemaFields } from '../../internal/schema-fields.ts';
import type { MethodFlags, MethodsFlags } from '../../program/kernel-commands.ts';
import { formatCounts } from './counts.ts';
import { type KernelContext, printJson } from './kernel-context.ts';

export async function methods(flags: MethodsFlags, { operations, host }: KernelContext): Promise<number> {
  const { tier } = flags;
  const asked = await operations.call('kernel.api.list_methods', tier === undefined ? {} : { tier });
  const own = tier === undefined ? (await operations.call('kernel.api.list_methods', { tier: 'experimental' })).methods : [];
  const found = [...new Set([...asked.methods, ...own])];
  if (flags.json === true) return await printJson(host, { methods: found, tier_counts: asked.tier_counts });
  const { OPERATIONS, isOperationName } = await import('@warren/protocol/contract');
  const wide = Math.max(0, ...found.map((name) => name.length));
  for (const [group, names] of grouped(found)) {
    await host.stdout.write(`${safeText(group)} (${names.length})\n`);
    for (const name of names) {
      const summary = isOperationName(name) ? OPERATIONS[name].summary : ''; // That of a newer daemon is not known here.
      await host.stdout.write(`${`  ${safeText(name).padEnd(wide)}  ${summary}`.trimEnd()}\n`);
    }
  }
  await host.stderr.write(
    `warren: ${found.length} methods (${formatCounts(asked.tier_counts)}); warren kernel methods NAME describes one\n`,
  );
  return 0;
}

/** By what they are about: `kernel.agent`, `queue`. */
function grouped(names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  return Map.groupBy(names, (name) => name.slice(0, Math.max(0, name.lastIndexOf('.'))));
}

/** What is known of a method stands in this program: nobody is asked. */
export async function method(name: string, flags: MethodFlags, host: Host): Promise<number> {
  const { OPERATIONS, isOperationName, jsonSchema } = await import('@warren/protocol/contract');
  if (!isOperationName(name)) {
    throw new Fault('not_found', `Cannot describe method "${name}": there is none of this name`, {
      details: { method: name, fix: 'warren kernel methods' },
    });
  }
  const operation: Operation = OPERATIONS[name];
  const { summary, tier, effect, scope, faults } = operation;
  const params = jsonSchema(operation.params);
  const result = jsonSchema(operation.result);
  if (flags.json === true) return await printJson(host, { method: name, summary, tier, effect, scope, params, result, faults });
  await host.stdout.write(`${name}\n  ${summary}\n\n`);
  await host.stdout.write(
    formatLabelled([
      ['tier', tier],
      ['effect', EFFECTS[effect]],
      ['callers', callersWord(scope)],
      ...(faults.length === 0 ? [] : [['faults', faults.join(', ')] as const]),
    ]),
  );
  await host.stdout.write(formatFields('Parameters', schemaFields(params), needWord));
  await host.stdout.write(formatFields('Result', schemaFields(result), ({ isRequired }) => (isRequired ? '' : 'not always')));
  return 0;
}

/** For completion. */
export async function methodNames(host: Host): Promise<number> {
  const { OPERATIONS } = await import('@warren/protocol/contract');
  await host.stdout.write(`${Object.keys(OPERATIONS).toSorted().join('\n')}\n`);
  return 0;
}

const EFFECTS: Readonly<Record<Effect, string>> = {
  read: 'read: changes nothing',
  idempotent: 'idempotent: the same call again leaves the same behind',
  once: 'once: the same call again does it again',
};

function callersWord(scope: Scope): string {
  switch (scope.kind) {
    case 'anyone':
      return 'anyone with a token';
    case 'process':
      return `${treeWord(scope)} (named in "${scope.pid}"), whoever acts for the workspace, operators`;
    case 'agent':
      return 'agents, operators';
    case 'member':
      return 'whoever acts for the workspace, operators';
    case 'operator':
      return 'operators';
    default:
      return scope satisfies never;
  }
}

function treeWord({ tree }: Scope & { readonly kind: 'process' }): string {
  if (tree === 'below') return 'a process for those below it';
  return tree === true ? 'a process for itself and those below it' : 'a process for itself';
}

function needWord({ isRequired, otherwise }: SchemaField): string {
  if (isRequired) return 'required';
  return otherwise === undefined ? 'optional' : `default ${safeJson(otherwise)}`;
}

function formatFields(title: string, fields: readonly SchemaField[], remark: (field: SchemaField) => string): string {
  if (fields.length === 0) return `\n${title}: none\n`;
  const widePath = Math.max(...fields.map(({ path }) => path.length));
  const wideType = Math.max(...fields.map(({ type }) => type.length).filter((length) => length <= TYPE_WIDTH_MAX), 0);
  const lines = fields.map((field) => `  ${field.path.padEnd(widePath)}  ${field.type.padEnd(wideType)}  ${remark(field)}`.trimEnd());
  return `\n${title}:\n${lines.join('\n')}\n`;
}

/** A longer one moves its own remark only. */
const TYPE_WIDTH_MAX = 40;

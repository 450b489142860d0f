/** `warren capability`: what agents can call. */
import type { Client } from '@warren/client';
import { Fault } from '@warren/protocol';
import type { CapabilityDescription } from '@warren/protocol/contract';
import { argumentWords } from '../internal/argument-words.ts';
import { openClient, openWorkspaceClient } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import { formatLabelled } from '../internal/labelled.ts';
import { processOfAgent } from '../internal/process-of-agent.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { formatTable } from '../internal/table.ts';
import type { CapabilityDescribeFlags, CapabilityExportFlags, CapabilityListFlags } from '../program/capability-commands.ts';
import type { StateFlags } from '../program/state-options.ts';

export async function capabilityList(flags: CapabilityListFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'list capabilities');
  const category = flags.category === undefined ? {} : { category: flags.category };
  const found =
    flags.as === undefined
      ? await client.call('capability.list', category)
      : await client.call('capability.offered', { pid: await processOfAgent(client, flags.as), ...category });
  if (found.capabilities.length === 0 && flags.category !== undefined) await refuseUnknown(client, flags.category);
  if (flags.json === true) return await printJson(host, found);
  if (flags.names === true) {
    await host.stdout.write(found.capabilities.map(({ name }) => `${safeText(name)}\n`).join(''));
    return 0;
  }
  const columns = [{ title: 'CAPABILITY' }, { title: 'TIER' }, { title: 'EFFECT' }, { title: 'WHAT IT DOES' }] as const;
  const rows = found.capabilities.map(({ name, tier, effect, purpose }) => [safeText(name), tier, effect, safeText(purpose)]);
  await host.stdout.write(formatTable(columns, rows, host.stdout.size?.columns ?? Number.POSITIVE_INFINITY));
  return 0;
}

/** The list alone, so that it can be used as it is; with `--json` the whole answer. */
export async function capabilityExport({ format, as: agent, category, ...flags }: CapabilityExportFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'export capabilities');
  const exported = await client.call('tool.list', { format, agent, ...(category !== undefined && { category }) });
  if (category !== undefined && exported.names.every(({ capability }) => capability === null)) await refuseUnknown(client, category);
  await printJson(host, flags.json === true ? exported : exported.tools);
  for (const { capability, reason } of exported.left_out) {
    await host.stderr.write(`warren: ${safeText(capability)} is left out: ${safeText(reason)}\n`);
  }
  return 0;
}

/** An empty list of a category that exists is an answer; one of a category that does not is a mistake. */
async function refuseUnknown(client: Client, category: string): Promise<void> {
  const { capabilities } = await client.call('capability.list', {});
  const known = [...new Set(capabilities.map(({ name }) => name.slice(0, name.indexOf('.'))))];
  if (known.includes(category)) return;
  throw new Fault('invalid_argument', `Cannot list the category ${JSON.stringify(category)}: there is none; there are ${known.join(', ')}`);
}

export async function capabilityDescribe(name: string, flags: CapabilityDescribeFlags, host: Host): Promise<number> {
  await using client = await openWorkspaceClient(flags, host, 'describe a capability');
  const found = await client.call('capability.describe', { name });
  if (flags.json === true) return await printJson(host, found);
  if (flags.names === true) {
    await host.stdout.write(
      argumentWords(found.input_schema)
        .map((word) => `${safeText(word)}\n`)
        .join(''),
    );
    return 0;
  }
  await host.stdout.write(describe(found));
  return 0;
}

export async function capabilityReload(flags: StateFlags, host: Host): Promise<number> {
  await using client = await openClient(flags, host, 'reload the capabilities');
  const reloaded = await client.call('capability.reload', {});
  if (flags.json === true) return await printJson(host, reloaded);
  for (const { severity, file, line, message } of reloaded.problems) {
    await host.stderr.write(`${severity}: ${safeText(`${file}${line === null ? '' : `:${line}`}: ${message}`)}\n`);
  }
  await host.stdout.write(`${reloaded.capabilities} capabilities are in force\n`);
  return reloaded.problems.some(({ severity }) => severity === 'error') ? 1 : 0;
}

function describe({
  name,
  version,
  purpose,
  when_to_use,
  when_not_to_use,
  tier,
  effect,
  tags,
  input_schema,
  output_schema,
  errors,
  common_patterns,
}: CapabilityDescription): string {
  const head = formatLabelled([
    ['capability', safeText(`${name} ${version}`)],
    ['does', safeText(purpose)],
    ['use it', safeText(when_to_use.trim())],
    ...(when_not_to_use === null ? [] : [['do not', safeText(when_not_to_use.trim())] as const]),
    ['tier', `${tier}, unless policy says otherwise`],
    ['effect', effect],
    ['tags', safeText(tags.join(', '))],
  ]);
  const patterns = common_patterns.flatMap(({ description, steps }) => [
    `  ${safeText(description)}`,
    ...steps.map((step) => `    ${safeText(step)}`),
  ]);
  const failures = errors.map(({ type, description }) => `  ${safeText(`${type}: ${description}`)}`);
  return [
    head,
    'arguments\n',
    fields(input_schema),
    'answers\n',
    fields(output_schema),
    'for example\n',
    `${patterns.join('\n')}\n`,
    'errors\n',
    `${failures.join('\n')}\n`,
  ].join('');
}

/** One line for each field of an object. */
function fields(schema: CapabilityDescription['input_schema']): string {
  const properties = Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Readonly<Record<string, unknown>>>>); // A JSON Schema made by us.
  const required = (schema['required'] ?? []) as readonly string[]; // As above.
  const rows = properties.map(([name, { type, description, default: otherwise }]) => {
    const kind = `${Array.isArray(type) ? type.join('|') : String(type ?? 'any')}${required.includes(name) ? '' : otherwise === undefined ? '?' : ` = ${safeJson(otherwise)}`}`;
    return [`  ${safeText(name)}`, safeText(kind), safeText(String(description ?? ''))] as const;
  });
  const wide = [0, 1].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map(([name, kind, text]) => `${`${name.padEnd(wide[0] ?? 0)}  ${kind.padEnd(wide[1] ?? 0)}  ${text}`.trimEnd()}\n`).join('');
}

async function printJson(host: Host, value: unknown): Promise<number> {
  await host.stdout.write(`${safeJson(value, 2)}\n`);
  return 0;
}

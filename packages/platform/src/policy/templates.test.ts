import { createPolicy, NO_FACTS, type Policy } from '@warren/kernel';
import type { JsonObject } from '@warren/protocol';
import { expect, it } from 'vitest';
import { shippedDefinitions } from '../capability/shipped-definitions.ts';
import { mcpConfigFormat } from '../mcp/mcp-config-format.ts';
import { createToolCapability } from '../mcp/tool-capability.ts';
import { createDescriber } from './create-describer.ts';
import { readPolicy } from './read-policy.ts';
import { TEMPLATES, templateText } from './templates.ts';

const set = await shippedDefinitions();
const describe = createDescriber(set);
const none = () => ({ amount: 0, oldestAt: undefined });

const HEAD = `# What the templates decide

Each capability under each template of \`warren policy init\`: what happens to a call, and after the agent has read the web. What is different after the web is in bold. Held by a
test, which writes it again: \`vitest run packages/platform/src/policy/templates.test.ts --update\`.

`;
/** As the table names it, the capability, and the arguments. */
type Row = readonly [string, string, JsonObject];

const SHORT = { autonomous: 'does', notify: 'tells', approval_required: 'asks', blocked: 'blocked' } as const;

function policyOf(template: string): Policy {
  const place = { layer: 'workspace', file: `${template}.yaml`, of: 'default' } as const;
  const { policy, problems } = readPolicy(templateText(template) ?? '', place, () => undefined);
  if (policy === undefined) throw new Error(`${template}: ${problems[0]?.message}`);
  return createPolicy([policy], { version: template, workspace: 'default' });
}

const [NOTES] = mcpConfigFormat.parse({ servers: [{ name: 'notes', command: ['notes'] }] }).servers;

/** Tools of a mounted server, approved with and without `--read`. */
const MOUNTED = new Map(
  [false, true].map((isRead) => {
    const tool = { name: isRead ? 'look' : 'act', inputSchema: { type: 'object' } };
    if (NOTES === undefined) throw new Error('There is no server');
    const pin = { hash: '', tools: [tool], reads: isRead ? [tool.name] : [], approvedAt: 0 };
    const name = `mcp.notes.${tool.name}`;
    const { definition } = createToolCapability(NOTES, pin, tool, name, () => Promise.reject(new Error('Nothing is called')));
    return [name, definition];
  }),
);

function knownOf(capability: string, input: JsonObject) {
  const mounted = MOUNTED.get(capability);
  return mounted === undefined ? describe(capability, input) : { tags: mounted.tags, defaultTier: mounted.tier, facts: NO_FACTS };
}

function cell(policy: Policy, capability: string, input: JsonObject): string {
  const tierAfter = (taint: readonly string[]) => {
    const known = knownOf(capability, input);
    if (known === undefined) throw new Error(`${capability} is not defined`);
    return SHORT[policy.decide({ capability, agent: 'ada', input, taint, at: 0, ...known }, none).tier];
  };
  const [clean, tainted] = [tierAfter([]), tierAfter(['web'])];
  return clean === tainted ? clean : `${clean}, **${tainted}**`;
}

/** What these do depends on the method. */
const SENDS: ReadonlySet<string> = new Set(['network.http_request', 'network.credentialed_request']);

it('the templates decide about every capability as their table says', async () => {
  const policies = TEMPLATES.map(policyOf);
  const url = 'https://example.org/';
  const shipped = [...set.definitions.keys()].toSorted().flatMap((capability): readonly Row[] => {
    if (!SENDS.has(capability)) return [[`\`${capability}\``, capability, {}]];
    return ['GET', 'POST'].map((method) => [`\`${capability}\` (${method})`, capability, { url, method }]);
  });
  const mounted: readonly Row[] = [
    ['a tool of a [mounted server](mcp-servers.md)', 'mcp.notes.act', {}],
    ['the same, approved with `--read`', 'mcp.notes.look', {}],
  ];
  const rows = [...shipped, ...mounted].map(([name, capability, input]) => [
    name,
    ...policies.map((policy) => cell(policy, capability, input)),
  ]);
  const lines = [['capability', ...TEMPLATES], Array(TEMPLATES.length + 1).fill('---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  await expect(`${HEAD}${lines.join('\n')}\n`).toMatchFileSnapshot('../../../../docs/policy-templates.md');
});

it.each(TEMPLATES)('%s asks about a tool of a mounted server unless it was approved as one that reads', (template) => {
  const policy = policyOf(template);
  const decided = (capability: string) => {
    const known = knownOf(capability, {});
    if (known === undefined) throw new Error(`${capability} is not defined`);
    return policy.decide({ capability, agent: 'ada', input: {}, taint: [], at: 0, ...known }, none);
  };
  expect(decided('mcp.notes.act')).toMatchObject({ tier: 'approval_required', rule: { rule: 'ask-before-mounted-tools' } });
  expect(['autonomous', 'notify']).toContain(decided('mcp.notes.look').tier);
});

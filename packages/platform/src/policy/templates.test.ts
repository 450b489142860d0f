import { createPolicy, type Policy } from '@warren/kernel';
import type { JsonObject } from '@warren/protocol';
import { expect, it } from 'vitest';
import { shippedDefinitions } from '../capability/shipped-definitions.ts';
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
const SHORT = { autonomous: 'does', notify: 'tells', approval_required: 'asks', blocked: 'blocked' } as const;

function policyOf(template: string): Policy {
  const place = { layer: 'workspace', file: `${template}.yaml`, of: 'default' } as const;
  const { policy, problems } = readPolicy(templateText(template) ?? '', place, () => undefined);
  if (policy === undefined) throw new Error(`${template}: ${problems[0]?.message}`);
  return createPolicy([policy], { version: template, workspace: 'default' });
}

function cell(policy: Policy, capability: string, input: JsonObject): string {
  const tierAfter = (taint: readonly string[]) => {
    const known = describe(capability, input);
    if (known === undefined) throw new Error(`${capability} is not defined`);
    return SHORT[policy.decide({ capability, agent: 'ada', input, taint, at: 0, ...known }, none).tier];
  };
  const [clean, tainted] = [tierAfter([]), tierAfter(['web'])];
  return clean === tainted ? clean : `${clean}, **${tainted}**`;
}

it('the templates decide about every capability as their table says', async () => {
  const policies = TEMPLATES.map(policyOf);
  const url = 'https://example.org/';
  const calls = [...set.definitions.keys()].toSorted().flatMap((capability): readonly (readonly [string, string, JsonObject])[] => {
    if (capability !== 'network.http_request') return [[`\`${capability}\``, capability, {}]];
    return ['GET', 'POST'].map((method) => [`\`${capability}\` (${method})`, capability, { url, method }]);
  });
  const rows = calls.map(([name, capability, input]) => [name, ...policies.map((policy) => cell(policy, capability, input))]);
  const lines = [['capability', ...TEMPLATES], Array(TEMPLATES.length + 1).fill('---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  await expect(`${HEAD}${lines.join('\n')}\n`).toMatchFileSnapshot('../../../../docs/policy-templates.md');
});

import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { policySchema } from './policy-schema.ts';

const PAGE = new URL('../../../../docs/policy.schema.json', import.meta.url);

it('docs/policy.schema.json is what scripts/write-policy-schema.ts writes', async () => {
  expect(JSON.parse(await readFile(PAGE, 'utf8'))).toEqual(JSON.parse(JSON.stringify(policySchema())));
});

it('it refuses keys that are unknown, and asks for what a rule needs', () => {
  const { additionalProperties, $defs } = policySchema() as {
    additionalProperties: unknown;
    $defs: Record<string, { required?: unknown }>;
  }; // Looked at in the next lines.
  expect(additionalProperties).toBe(false);
  expect(Object.values($defs).map(({ required }) => required)).toContainEqual(['capability', 'tier']);
});

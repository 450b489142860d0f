/** What a policy file may say, as JSON Schema: for editors. `docs/policy.schema.json` is written from it. */
import { z } from 'zod';
import { policyDocument } from './policy-document.ts';

export function policySchema(): unknown {
  const { $schema, ...schema } = z.toJSONSchema(policyDocument, { io: 'input', reused: 'ref' });
  return { $schema, title: 'Warren policy', description: 'What agents may do; docs/policy.md explains it', ...schema };
}

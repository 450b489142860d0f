/** Writes docs/policy.schema.json from the schema that policy files are read with; `npm run fix` gives it its form. */
import { writeFile } from 'node:fs/promises';
import { policySchema } from '../packages/platform/src/policy/policy-schema.ts';

await writeFile(new URL('../docs/policy.schema.json', import.meta.url), `${JSON.stringify(policySchema(), null, 2)}\n`);

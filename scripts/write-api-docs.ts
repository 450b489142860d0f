/** Writes docs/openapi.json from the contract; `npm run fix` gives it its form. */
import { writeFile } from 'node:fs/promises';
import { createOpenApi } from '@warren/gateway';

await writeFile(new URL('../docs/openapi.json', import.meta.url), JSON.stringify(createOpenApi()));

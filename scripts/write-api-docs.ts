/** Writes docs/openapi.json, docs/operations.md and the tables of docs/protocol.md from the contract; `npm run fix` gives the first its form. */
import { writeFile } from 'node:fs/promises';
import { createOpenApi } from '@warren/gateway';
import { apiPages } from './pages/api-pages.ts';

const ROOT = new URL('../', import.meta.url);
await writeFile(new URL('docs/openapi.json', ROOT), JSON.stringify(createOpenApi()));
for (const [path, text] of await apiPages()) await writeFile(new URL(path, ROOT), text);

/** The pages that are written from the contract, whole or in part, as they should be now. */
import { readFile } from 'node:fs/promises';
import { createOpenApi } from '@warren/gateway';
import { faultsTable, type OpenApiDocument, operationsPage, operationsTable, type WhoMayCall } from './operations-page.ts';
import { withSection } from './write-section.ts';

const ROOT = new URL('../../', import.meta.url);
const WHO = new URL('packages/gateway/src/e2e/who-may-call.json', ROOT);
const PROTOCOL = 'docs/protocol.md';

/** By path from the root. */
export async function apiPages(): Promise<ReadonlyMap<string, string>> {
  const who = JSON.parse(await readFile(WHO, 'utf8')) as WhoMayCall; // The test that writes it says so.
  const document = createOpenApi() as OpenApiDocument;
  const protocol = await readFile(new URL(PROTOCOL, ROOT), 'utf8');
  return new Map([
    ['docs/operations.md', operationsPage(document, who)],
    [PROTOCOL, withSection(withSection(protocol, 'operations', operationsTable(who)), 'errors', faultsTable())],
  ]);
}

/** The OpenAPI document: valid by the rules of OpenAPI, current in docs/, and about every operation. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { createOpenApi } from '@warren/gateway';
import { OPERATIONS } from '@warren/protocol/contract';
import { expect, it } from 'vitest';
import { ROOT } from './boundaries/read-tree.ts';

const DOCUMENT = JSON.parse(JSON.stringify(createOpenApi())) as ReturnType<typeof createOpenApi>; // As it is sent.

it('is valid OpenAPI 3.1', async () => {
  const validator = new Validator();
  const answer = await validator.validate(structuredClone(DOCUMENT));
  expect([answer.errors, answer.valid, validator.version]).toEqual([undefined, true, '3.1']);
});

const BESIDE = ['health', 'openapi', 'person.session', 'person.providers', 'person.sign_in', 'person.sign_out'];

it('is found not valid when something in it is wrong', async () => {
  const wrong = structuredClone(DOCUMENT) as { paths: Record<string, Record<string, { responses?: unknown }>> };
  wrong.paths['/api/agents'] = { get: { responses: { nonsense: 7 } } };
  expect((await new Validator().validate(wrong)).valid).toBe(false);
});

it('docs/openapi.json is it; `node --conditions=warren-source scripts/write-api-docs.ts` writes it', () => {
  expect(JSON.parse(readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8'))).toEqual(DOCUMENT);
});

it('has every operation under its name, and says of each what it may answer', () => {
  const all = Object.values(DOCUMENT.paths).flatMap((path) => Object.values(path));
  const names = all.map(({ operationId }) => operationId);
  expect(names.toSorted()).toEqual([...Object.keys(OPERATIONS), ...BESIDE].toSorted());
  const silent = all.filter(({ operationId, responses }) => {
    const statuses = Object.keys(responses as object);
    return operationId in OPERATIONS && !['400', '401', '403', '429', '500'].every((status) => statuses.includes(status));
  });
  expect(silent).toEqual([]);
});

it('refers to nothing that is not there, and keeps nothing that nobody refers to', () => {
  const text = JSON.stringify(DOCUMENT);
  const referred = new Set([...text.matchAll(/"\$ref":"#\/components\/([^"]+)"/g)].map(([, place]) => place));
  const components = DOCUMENT['components'] as Readonly<Record<string, object>>; // Of the document it is one.
  const there = ['parameters', 'schemas', 'responses'].flatMap((kind) =>
    Object.keys(components[kind] ?? {}).map((name) => `${kind}/${name}`),
  );
  expect([...referred].toSorted()).toEqual(there.toSorted());
});

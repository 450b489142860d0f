import { describe, expect, it } from 'vitest';
import { HTTP_ROUTES, pathParams, withoutAliases } from './http-routes.ts';
import { jsonSchema } from './json-schema.ts';
import { OPERATIONS, type OperationName } from './operations.ts';

const ROUTES = Object.entries(HTTP_ROUTES) as [OperationName, (typeof HTTP_ROUTES)[OperationName]][]; // Object.entries forgets them.

describe('HTTP_ROUTES', () => {
  it('has one place for each operation, and no two are the same', () => {
    expect(ROUTES.map(([name]) => name)).toEqual(Object.keys(OPERATIONS));
    const places = ROUTES.map(([, { method, path }]) => `${method} ${path.replaceAll(/\{[^}]+\}/g, '{}')}`);
    expect(places.filter((place, index) => places.indexOf(place) !== index)).toEqual([]);
  });

  it.each(ROUTES)('%s stands at a path of plain segments whose parameters it has and has to be given', (name, { path }) => {
    expect(path).toMatch(/^\/api(?:\/(?:[a-z][a-z_.-]*|\{[a-z_]+\}))+$/);
    const { properties = {}, required = [] } = jsonSchema(OPERATIONS[name].params);
    const named = pathParams(path);
    expect(named.filter((param) => properties[param] === undefined || !required.includes(param))).toEqual([]);
    expect(new Set(named).size).toBe(named.length);
  });

  it('reads with GET, and writes with nothing else', () => {
    const wrong = ROUTES.filter(([name, { method }]) => method === 'GET' && OPERATIONS[name].effect !== 'read');
    expect(wrong).toEqual([]);
    const posted = ROUTES.filter(([name, { method }]) => method !== 'GET' && OPERATIONS[name].effect === 'read');
    expect(posted.map(([name]) => name).filter((name) => !name.startsWith('kernel.'))).toEqual([
      'policy.explain',
      'policy.simulate',
      'memory.search',
      'transcript.search',
    ]);
  });

  it('keeps the places that an earlier system had', () => {
    const places = Object.fromEntries(ROUTES.map(([name, { method, path }]) => [`${method} ${path}`, name]));
    expect([
      ...[places['GET /api/status'], places['GET /api/agents'], places['GET /api/agents/{agent}'], places['GET /api/approvals']],
      ...[places['POST /api/approvals/{approval_id}/approve'], places['POST /api/approvals/{approval_id}/reject']],
      places['GET /api/audit'],
    ]).not.toContain(undefined);
  });

  it('aliases name parameters there are', () => {
    const wrong = ROUTES.flatMap(([name, { aliases }]) =>
      Object.entries(aliases).filter(([alias, param]) => {
        const { properties = {} } = jsonSchema(OPERATIONS[name].params);
        return properties[param] === undefined || properties[alias] !== undefined;
      }),
    );
    expect(wrong).toEqual([]);
  });
});

describe('withoutAliases', () => {
  const { 'audit.search': route } = HTTP_ROUTES;

  it.each([
    [
      { capability: 'a', limit: 1 },
      { action: 'a', limit: 1 },
    ],
    [{ capability: 'a', action: 'b' }, { action: 'b' }],
    [{ action: 'b', capability: 'a' }, { action: 'b' }],
    [{ limit: 1 }, { limit: 1 }],
  ])('%j is %j', (given, expected) => {
    expect(withoutAliases(route, given)).toEqual(expected);
  });
});

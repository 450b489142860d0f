/**
 * The OpenAPI 3.1 document of `/api`, made from the contract: nothing in it is written by hand but what stands beside the operations. It describes what
 * a caller sends and gets, in JSON Schema 2020-12; records that several operations share stand in its components once.
 */
import { WORKSPACE_ID_PATTERN } from '@warren/protocol';
import {
  HTTP_ROUTES,
  type HttpRoute,
  type JsonSchema,
  jsonSchema,
  OPERATIONS,
  type OperationName,
  pathParams,
} from '@warren/protocol/contract';
import { besideOperations } from './beside-operations.ts';
import { ANY_CALL, createResponses, type Responses } from './create-responses.ts';
import { createShared, type Shared } from './create-shared.ts';
import { CHANGING, READING, SCHEMES } from './security.ts';

export type OpenApi = Readonly<Record<string, unknown>> & {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
};

export type OpenApiOperation = Readonly<Record<string, unknown>> & { readonly operationId: string };

/** Of the interface, not of the program: it changes with what clients have to know. */
const VERSION = '1.0.0';

export function createOpenApi(): OpenApi {
  const shared = createShared();
  const responses = createResponses();
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const [name, route] of Object.entries(HTTP_ROUTES) as [OperationName, HttpRoute][]) {
    // Object.entries forgets them.
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: describe(name, route, shared, responses) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Warren',
      version: VERSION,
      description: 'Every operation of Warren over HTTP. The same operations are called by name over JSON-RPC at /rpc.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    servers: [{ url: '/' }],
    security: CHANGING,
    tags: tagsOf(),
    paths: { ...paths, ...besideOperations(responses, shared) },
    components: {
      securitySchemes: SCHEMES,
      parameters: { workspace: WORKSPACE },
      schemas: { ...shared.schemas(), ...responses.schemas },
      responses: responses.all(),
    },
  };
}

const WORKSPACE = {
  name: 'warren-workspace',
  in: 'header',
  description: 'Which workspace, where the operation has no parameter for it. Only operators have more than one',
  schema: { type: 'string', pattern: WORKSPACE_ID_PATTERN },
} as const;

function describe(name: OperationName, route: HttpRoute, shared: Shared, responses: Responses): OpenApiOperation {
  const { summary, tier, effect, scope, params, result, faults } = OPERATIONS[name];
  const schema = jsonSchema(params);
  const inPath = pathParams(route.path);
  const isQuery = route.method === 'GET';
  const named = isQuery ? Object.keys(schema.properties ?? {}) : inPath;
  const parameters = named.map((param) => parameterOf(param, inPath.includes(param), schema, shared));
  const body = isQuery ? undefined : bodyOf(schema, inPath, shared);
  return {
    operationId: name,
    summary,
    tags: [tagOf(name)],
    parameters: [...parameters, { $ref: '#/components/parameters/workspace' }],
    ...(isQuery && { security: READING }),
    ...(body !== undefined && { requestBody: body }),
    responses: {
      [route.status]: { description: 'Done', content: { 'application/json': { schema: shared.refer(jsonSchema(result)) } } },
      ...responses.of([...ANY_CALL, ...faults], !isQuery),
    },
    ...(tier === 'deprecated' && { deprecated: true }),
    'x-warren': { tier, effect, scope },
  };
}

function parameterOf(name: string, isInPath: boolean, { properties = {}, required = [] }: JsonSchema, shared: Shared): object {
  const own = properties[name] as JsonSchema; // Of the contract no schema is just true or false.
  const place = { name, in: isInPath ? 'path' : 'query', ...((isInPath || required.includes(name)) && { required: true }) };
  const schema = shared.refer(isInPath ? own : withoutNull(own));
  return takesObject(own) ? { ...place, content: { 'application/json': { schema } } } : { ...place, schema };
}

/** What is left out of a query is not there, and there is no word for null. */
function withoutNull(schema: JsonSchema): JsonSchema {
  const alternatives = schema.anyOf?.filter((each) => (each as JsonSchema).type !== 'null'); // As above.
  if (alternatives === undefined || alternatives.length === schema.anyOf?.length) return schema;
  const { anyOf: _, ...rest } = schema;
  return alternatives.length === 1 ? { ...rest, ...(alternatives[0] as JsonSchema) } : { ...rest, anyOf: alternatives }; // As above.
}

function takesObject(schema: JsonSchema): boolean {
  return schema.type === 'object' || [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].some((each) => takesObject(each as JsonSchema)); // As above.
}

/** Undefined where there is nothing to say. */
function bodyOf(schema: JsonSchema, inPath: readonly string[], shared: Shared): object | undefined {
  const properties = Object.fromEntries(Object.entries(schema.properties ?? {}).filter(([name]) => !inPath.includes(name)));
  if (Object.keys(properties).length === 0) return undefined;
  const required = (schema.required ?? []).filter((name) => !inPath.includes(name));
  const { additionalProperties } = schema;
  const object = {
    type: 'object',
    properties,
    ...(required.length > 0 && { required }),
    ...(additionalProperties !== undefined && { additionalProperties }),
  } as JsonSchema; // It is one.
  return { required: required.length > 0, content: { 'application/json': { schema: shared.refer(object) } } };
}

function tagOf(name: string): string {
  return name.slice(0, name.indexOf('.'));
}

function tagsOf(): readonly { readonly name: string }[] {
  return [...new Set(['daemon', ...Object.keys(OPERATIONS).map(tagOf)])].map((name) => ({ name }));
}

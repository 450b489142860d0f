/** What is asked of an operation: as the document says, nearly so, or not at all. */
import fc from 'fast-check';
import { HOSTILE_BODIES, HOSTILE_HEADERS, HOSTILE_TEXTS, HOSTILE_TYPES } from './hostile.ts';
import { type FindKnown, isList, type Json, Known, Raw, toText } from './json-text.ts';
import type { OpenApi, Operation, Parameter, Schema } from './open-api.ts';
import { Values } from './values.ts';

/** In the order they are sent; what is known is looked for when it is. */
export type Ask = {
  readonly path: readonly (readonly [string, Json])[];
  readonly query: readonly (readonly [string, Json])[];
  /** Of the query, as it stands. */
  readonly trash: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json | Uint8Array | undefined;
};

/** All in the head of a request that is too long is refused in the same way. */
const PATH_CHARACTERS_MAX = 1_000;
const QUERY_CHARACTERS_MAX = 40;

export type Sendable = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
};

export function asksOf(openApi: OpenApi, operation: Operation): fc.Arbitrary<Ask> {
  const values = new Values(openApi);
  const inPath = operation.parameters.filter((parameter) => parameter.in === 'path');
  const inQuery = operation.parameters.filter((parameter) => parameter.in === 'query');
  return fc.record({
    path: fc.tuple(...inPath.map((parameter) => pathText(values, parameter))),
    query: queryOf(values, inQuery),
    trash: fc.oneof(
      { weight: 9, arbitrary: fc.constant('') },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          '%',
          '%ff=%ff',
          '__proto__=1',
          'a[b]=c',
          '&&==&',
          'token=x',
          'workspace=%00',
          '?',
          `a=${'x'.repeat(3_000)}`,
        ),
      },
    ),
    headers: headersOf(operation),
    body: operation.body === undefined ? rarely(fc.constantFrom(...HOSTILE_BODIES), 9) : bodyOf(values, operation.body),
  });
}

const hostileText: fc.Arbitrary<Json> = fc.constantFrom(...HOSTILE_TEXTS);

/** As HTTP says it. */
export function toSendable({ method, path }: Operation, ask: Ask, find: FindKnown): Sendable {
  const named = new Map(ask.path);
  const filled = path.replaceAll(/\{([^}]+)\}/g, (_, name: string) =>
    escaped(textOf(named.get(name) ?? '', find).slice(0, PATH_CHARACTERS_MAX)),
  );
  const pairs = ask.query.flatMap(([key, value]) =>
    partsOf(value, find).map((text) => `${escaped(key)}=${escaped(text.slice(0, QUERY_CHARACTERS_MAX))}`),
  );
  const query = [...pairs, ...(ask.trash === '' ? [] : [ask.trash])].join('&');
  const body = ask.body === undefined || ask.body instanceof Uint8Array ? ask.body : new TextEncoder().encode(toText(ask.body, find));
  return { method, path: query === '' ? filled : `${filled}?${query}`, headers: ask.headers, body };
}

function rarely<Kind>(arbitrary: fc.Arbitrary<Kind>, against: number): fc.Arbitrary<Kind | undefined> {
  return fc.oneof({ weight: against, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
}

function bodyOf(values: Values, schema: Schema): fc.Arbitrary<Ask['body']> {
  return fc.oneof(
    { weight: 5, arbitrary: values.valid(schema, 'body') },
    { weight: 5, arbitrary: values.almostValid(schema, 'body') },
    { weight: 2, arbitrary: fc.constantFrom(...HOSTILE_BODIES).map((body) => (typeof body === 'string' ? new Raw(body) : body)) },
  );
}

function pathText(values: Values, { name, schema }: Parameter): fc.Arbitrary<readonly [string, Json]> {
  const value = fc.oneof({ weight: 3, arbitrary: values.valid(schema, name) }, { weight: 1, arbitrary: hostileText });
  return value.map((each) => [name, each] as const);
}

function queryOf(values: Values, parameters: readonly Parameter[]): fc.Arbitrary<Ask['query']> {
  const given = parameters.map(({ name, schema, required }) => {
    const value = fc.oneof({ weight: 4, arbitrary: values.valid(schema, name) }, { weight: 1, arbitrary: hostileText });
    const pair = value.map((each) => [[name, each] as const]);
    const twice = pair.map(([first]) => (first === undefined ? [] : [first, first]));
    return fc.oneof(
      { weight: required ? 1 : 6, arbitrary: fc.constant([]) },
      { weight: required ? 12 : 6, arbitrary: pair },
      { weight: 1, arbitrary: twice },
    );
  });
  return fc.tuple(...given).map((pairs) => pairs.flat());
}

function headersOf({ body }: Operation): fc.Arbitrary<Readonly<Record<string, string>>> {
  const hostile = rarely(fc.constantFrom(...HOSTILE_HEADERS), 12);
  const type = fc.oneof(
    { weight: 12, arbitrary: fc.constant(body === undefined ? undefined : 'application/json') },
    { weight: 1, arbitrary: fc.constantFrom(...HOSTILE_TYPES) },
  );
  const names = ['warren-workspace', 'warren-agent', 'accept', 'traceparent', 'warren-version', 'cookie', 'x-client-id', 'idempotency-key'];
  return fc
    .tuple(type, ...names.map(() => hostile))
    .map(([contentType, ...rest]) =>
      Object.fromEntries(
        [['content-type', contentType] as const, ...names.map((name, at) => [name, rest[at]] as const)].flatMap(([name, value]) =>
          value === undefined ? [] : [[name, value] as const],
        ),
      ),
    );
}

function partsOf(value: Json, find: FindKnown): readonly string[] {
  const found = value instanceof Known ? find(value) : value;
  return isList(found) ? found.map((each) => textOf(each, find)) : [textOf(found, find)];
}

function textOf(value: Json, find: FindKnown): string {
  const found = value instanceof Known ? find(value) : value;
  if (typeof found === 'string') return found;
  if (found instanceof Raw && found.text.startsWith('"')) return JSON.parse(found.text);
  return toText(found, find);
}

/** Also what is no text at all: as its bytes would be. */
function escaped(text: string): string {
  return text.isWellFormed()
    ? encodeURIComponent(text)
    : encodeURIComponent(text.replaceAll(/[\ud800-\udfff]/gu, '\0')).replaceAll('%00', '%ED%A0%80');
}

/**
 * Tools of the version of MCP without sessions may name arguments that travel in headers too (`x-mcp-header`, over HTTP). One that does so otherwise than the protocol lets it is no tool,
 * and a client has to leave it out.
 */
import { isObject } from '../capability/compile-field.ts';

const KEYWORD = 'x-mcp-header';
/** A token of RFC 9110. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const TYPES: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean']);
/** Keywords whose value has schemas by name; under others it is one or a list of them. */
const BY_NAME: ReadonlySet<string> = new Set(['properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions']);
/** Keywords whose value is data. */
const DATA: ReadonlySet<string> = new Set([KEYWORD, 'const', 'enum', 'default', 'examples']);

/** `property`: reached from the root over `properties` alone. Only there is one allowed. */
type Place = 'root' | 'property' | 'elsewhere';

/** `schema`: of a message that was held to its bounds. */
export function areParamHeadersValid(schema: unknown): boolean {
  return areValid(schema, 'root', new Set());
}

function areValid(node: unknown, place: Place, taken: Set<string>): boolean {
  if (Array.isArray(node)) return node.every((each) => areValid(each, 'elsewhere', taken));
  if (!isObject(node)) return true;
  if (KEYWORD in node && !isValid(node[KEYWORD], node['type'], place, taken)) return false;
  const inner = (keyword: string): Place => (keyword === 'properties' && place !== 'elsewhere' ? 'property' : 'elsewhere');
  return Object.entries(node).every(([keyword, child]) => {
    if (DATA.has(keyword)) return true;
    if (!BY_NAME.has(keyword) || !isObject(child)) return areValid(child, 'elsewhere', taken);
    return Object.values(child).every((each) => areValid(each, inner(keyword), taken));
  });
}

function isValid(header: unknown, type: unknown, place: Place, taken: Set<string>): boolean {
  if (place !== 'property' || typeof header !== 'string' || !NAME.test(header) || !TYPES.has(type)) return false;
  const name = header.toLowerCase();
  if (taken.has(name)) return false;
  taken.add(name);
  return true;
}

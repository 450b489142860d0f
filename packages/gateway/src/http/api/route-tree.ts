/**
 * Which operations stand at a path. A tree of segments: at each one the exact word first, then a parameter. It is made once from the table of the
 * contract; a path is looked at a segment at a time and never as a pattern.
 */
import { HTTP_ROUTES, type HttpMethod, type HttpRoute, type OperationName } from '@warren/protocol/contract';

export type ApiRoute = HttpRoute & { readonly name: OperationName };

/** What stands at one path, by method; `params` are decoded. */
export type FoundPath = { readonly methods: ReadonlyMap<string, ApiRoute>; readonly params: Readonly<Record<string, string>> };

export interface RouteTree {
  /** Undefined: nothing. A parameter that is not what a URL can say is none. */
  find(path: string): FoundPath | undefined;
}

type Node = { readonly words: Map<string, Node>; param: { readonly node: Node } | undefined; readonly methods: Map<HttpMethod, ApiRoute> };

export function createRouteTree(routes: Readonly<Record<string, HttpRoute>> = HTTP_ROUTES): RouteTree {
  const root = createNode();
  for (const [name, route] of Object.entries(routes)) {
    let node = root;
    for (const segment of segmentsOf(route.path)) node = childOf(node, segment);
    node.methods.set(route.method, { ...route, name: name as OperationName }); // The table has no other keys.
  }
  return {
    find(path) {
      const segments = segmentsOf(path);
      const node = walk(root, segments, 0);
      const [any] = node?.methods.values() ?? [];
      if (node === undefined || any === undefined) return undefined;
      const params: Record<string, string> = {};
      for (const [index, part] of segmentsOf(any.path).entries()) {
        if (!isParam(part)) continue;
        const value = decode(segments[index] ?? '');
        if (value === undefined) return undefined;
        params[part.slice(1, -1)] = value;
      }
      return { methods: node.methods, params };
    },
  };
}

function createNode(): Node {
  return { words: new Map(), param: undefined, methods: new Map() };
}

function segmentsOf(path: string): readonly string[] {
  return path.slice(1).split('/');
}

function childOf(node: Node, segment: string): Node {
  if (isParam(segment)) {
    node.param ??= { node: createNode() };
    return node.param.node;
  }
  const child = node.words.get(segment) ?? createNode();
  node.words.set(segment, child);
  return child;
}

/** As deep as the deepest route. */
function walk(node: Node, segments: readonly string[], at: number): Node | undefined {
  const segment = segments[at];
  if (segment === undefined) return node.methods.size > 0 ? node : undefined;
  const word = node.words.get(segment);
  const found = word === undefined ? undefined : walk(word, segments, at + 1);
  if (found !== undefined || node.param === undefined || segment === '') return found;
  return walk(node.param.node, segments, at + 1);
}

function isParam(segment: string): boolean {
  return segment.startsWith('{');
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // A lone percent sign, or bytes that are not UTF-8.
  }
}

/**
 * Which operations stand at a path. A tree of segments: at each one the exact word first, then a parameter. It is made once from the table of the
 * contract; a path is looked at a segment at a time and never as a pattern.
 */
import { HTTP_ROUTES, type HttpMethod, type HttpRoute, type OperationName } from '@warren/protocol/contract';

export type ApiRoute = HttpRoute & { readonly name: OperationName };

/** An operation at one path; `params` are decoded. */
export type FoundRoute = { readonly route: ApiRoute; readonly params: Readonly<Record<string, string>> };

export interface RouteTree {
  /** By method; empty where nothing is. A parameter that is not what a URL can say is none. */
  find(path: string): ReadonlyMap<HttpMethod, FoundRoute>;
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
      const found = new Map<HttpMethod, FoundRoute>();
      for (const node of walk(root, segments, 0)) {
        const params = paramsOf(node, segments);
        if (params === undefined) continue;
        for (const [method, route] of node.methods) if (!found.has(method)) found.set(method, { route, params });
      }
      return found;
    },
  };
}

/** Undefined when one is not what a URL can say. */
function paramsOf({ methods }: Node, segments: readonly string[]): FoundRoute['params'] | undefined {
  const [any] = methods.values();
  const params: Record<string, string> = {};
  for (const [index, part] of segmentsOf(any?.path ?? '').entries()) {
    if (!isParam(part)) continue;
    const value = decode(segments[index] ?? '');
    if (value === undefined) return undefined;
    params[part.slice(1, -1)] = value;
  }
  return params;
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

/** As deep as the deepest route. What is called as a word is called stands behind the word: it has the methods that the word has not. */
function* walk(node: Node, segments: readonly string[], at: number): Generator<Node> {
  const segment = segments[at];
  if (segment === undefined) {
    if (node.methods.size > 0) yield node;
    return;
  }
  const word = node.words.get(segment);
  if (word !== undefined) yield* walk(word, segments, at + 1);
  if (node.param !== undefined && segment !== '') yield* walk(node.param.node, segments, at + 1);
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

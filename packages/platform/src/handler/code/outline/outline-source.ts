/**
 * The outline of a source text: what is defined and imported, where, and within what. It walks the whole tree, so what stands inside `if`, `try`, `with` and `for` is found as well.
 * Nothing here recurses: hostile source nests as deep as it likes.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { assetDirectory } from '../../../internal/asset-directory.ts';
import { TaskRefusal } from '../../internal/task-refusal.ts';
import { OUTLINE_LANGUAGES, type OutlineKind, type OutlineLanguage, type OutlineLanguageName } from './outline-language.ts';

export const OUTLINE_LIMITS = { sourceBytesMax: 2_097_152, nodesMax: 5_000, errorsMax: 100, signatureMax: 300, scopeMax: 32 } as const;

export type OutlineRequest = {
  readonly source: string;
  readonly language: OutlineLanguageName;
  readonly kinds: readonly OutlineKind[] | undefined;
  /** How many definitions may be around one; deeper ones are left out. */
  readonly depthMax: number;
  readonly nodesMax: number;
};
export type OutlineNode = {
  readonly kind: OutlineKind;
  readonly name: string;
  /** From 1, both. */
  readonly line: number;
  readonly endLine: number;
  /** On one line, without its body. */
  readonly signature: string;
  /** Names of the definitions around it, the outermost first. */
  readonly scope: readonly string[];
};
export type SyntaxError = { readonly line: number; readonly column: number; readonly message: string };
export type Outline = {
  readonly nodes: readonly OutlineNode[];
  readonly syntaxErrors: readonly SyntaxError[];
  readonly lineCount: number;
  readonly isWhole: boolean;
};

/** The part of tree-sitter's types that is used; its own declare a module of another name. */
type Point = { readonly row: number; readonly column: number };
type SyntaxNode = {
  readonly type: string;
  readonly text: string;
  readonly startIndex: number;
  readonly endIndex: number;
  readonly startPosition: Point;
  readonly endPosition: Point;
  readonly isError: boolean;
  readonly isMissing: boolean;
  readonly parent: SyntaxNode | null;
  childForFieldName(name: string): SyntaxNode | null;
  namedChild(index: number): SyntaxNode | null;
};
type Cursor = {
  readonly currentNode: SyntaxNode;
  readonly nodeType: string;
  readonly nodeIsMissing: boolean;
  gotoFirstChild(): boolean;
  gotoNextSibling(): boolean;
  gotoParent(): boolean;
  delete(): void;
};
type Tree = { walk(): Cursor; delete(): void };
type Parser = { setLanguage(language: unknown): unknown; parse(source: string): Tree | null; delete(): void };
type TreeSitter = {
  readonly Parser: { new (): Parser; init(options: { locateFile(file: string): string }): Promise<void> };
  readonly Language: { load(path: string): Promise<unknown> };
};

type Loaded = { readonly library: TreeSitter; readonly directory: string };
let loading: Promise<Loaded> | undefined; // A worker thread has one; nothing is loaded before it is asked for.
const grammars = new Map<string, Promise<unknown>>();

async function load(): Promise<Loaded> {
  const directory = grammarDirectory();
  const library = createRequire(import.meta.url)(join(directory, 'tree-sitter.js')) as TreeSitter; // Its own types say the same.
  await library.Parser.init({ locateFile: (file) => join(directory, file) });
  return { library, directory };
}

/** In the package of the grammars, or beside the bundle. */
function grammarDirectory(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('@vscode/tree-sitter-wasm'));
  } catch {
    return assetDirectory('grammars'); // A bundle has no packages.
  }
}

/** Throws `FileTooLarge`. The caller owns time: it can be long for hostile source. */
export async function outlineSource(request: OutlineRequest): Promise<Outline> {
  const { source, language } = request;
  if (source.length > OUTLINE_LIMITS.sourceBytesMax)
    throw new TaskRefusal('FileTooLarge', `Cannot outline the source: it has more than ${OUTLINE_LIMITS.sourceBytesMax} characters`);
  const rules: OutlineLanguage = OUTLINE_LANGUAGES[language];
  loading ??= load();
  const { library, directory } = await loading;
  const grammar = grammars.get(rules.grammar) ?? library.Language.load(join(directory, rules.grammar));
  grammars.set(rules.grammar, grammar);
  const parser = new library.Parser();
  try {
    parser.setLanguage(await grammar);
    const tree = parser.parse(source);
    if (tree === null) throw new Error('the parser gave no tree');
    try {
      return walk(tree, request, rules);
    } finally {
      tree.delete();
    }
  } finally {
    parser.delete();
  }
}

type Around = { readonly depth: number; readonly name: string; readonly type: string; readonly isFunction: boolean };

function walk(tree: Tree, request: OutlineRequest, rules: OutlineLanguage): Outline {
  const nodes: OutlineNode[] = [];
  const syntaxErrors: SyntaxError[] = [];
  const around: Around[] = [];
  const cursor = tree.walk();
  let isWhole = true;
  let depth = 0;
  const visit = (): void => {
    while ((around.at(-1)?.depth ?? -1) >= depth) around.pop();
    const type = cursor.nodeType;
    if (type === 'ERROR' || cursor.nodeIsMissing) {
      if (syntaxErrors.length < OUTLINE_LIMITS.errorsMax) syntaxErrors.push(errorAt(cursor.currentNode));
      return;
    }
    if (!Object.hasOwn(rules.kinds, type)) return;
    const made = nodeOf(cursor.currentNode, request.source, rules, around);
    if (made === undefined) return;
    const isWanted = around.length < request.depthMax && request.kinds?.includes(made.kind) !== false;
    if (isWanted && nodes.length >= request.nodesMax) isWhole = false;
    else if (isWanted) nodes.push(made);
    if (!/^(import|constant|variable)$/.test(made.kind))
      around.push({ depth, name: made.name, type, isFunction: /function|method/.test(made.kind) });
  };
  try {
    for (let isDone = false; !isDone && isWhole; ) {
      visit();
      if (cursor.gotoFirstChild()) {
        depth++;
        continue;
      }
      while (!cursor.gotoNextSibling()) {
        if (!cursor.gotoParent()) {
          isDone = true;
          break;
        }
        depth--;
      }
    }
  } finally {
    cursor.delete();
  }
  return { nodes, syntaxErrors, lineCount: lineCountOf(request.source), isWhole };
}

function nodeOf(node: SyntaxNode, source: string, rules: OutlineLanguage, around: readonly Around[]): OutlineNode | undefined {
  const plain = rules.kinds[node.type] as OutlineKind; // The caller has looked.
  const value = node.childForFieldName('value');
  const holdsFunction = value !== null && /^(arrow_function|function_expression|function|generator_function)$/.test(value.type);
  if (/^(field_definition|public_field_definition)$/.test(node.type) && !holdsFunction) return undefined;
  const body = (holdsFunction ? value : node)?.childForFieldName('body');
  if (/_specifier$/.test(node.type) && body === null) return undefined; // Only named, not defined.
  const kind = kindOf(node, holdsFunction && plain === 'variable' ? 'function' : plain, rules, around);
  if ((kind === 'constant' || kind === 'variable') && around.some(({ isFunction }) => isFunction)) return undefined; // What a function keeps to itself.
  const end = body?.startIndex ?? node.endIndex;
  return {
    kind,
    name: nameOf(node, kind),
    line: node.startPosition.row + 1,
    endLine: node.endPosition.row + 1,
    signature: oneLine(source.slice(node.startIndex, end)),
    scope: around.slice(-OUTLINE_LIMITS.scopeMax).map(({ name }) => name),
  };
}

function kindOf(node: SyntaxNode, plain: OutlineKind, rules: OutlineLanguage, around: readonly Around[]): OutlineKind {
  if (plain === 'function') {
    if (rules.classes.includes(around.at(-1)?.type ?? '')) return 'method';
    const start = (node.childForFieldName('value') ?? node).text.slice(0, 64);
    return /^(pub(\([^)]*\))?\s+|export\s+|default\s+)*async\b/.test(start) ? 'async_function' : 'function';
  }
  if (plain === 'type') {
    const type = node.childForFieldName('type')?.type;
    return type === 'struct_type' ? 'struct' : type === 'interface_type' ? 'interface' : 'type';
  }
  return node.type === 'variable_declarator' && node.parent?.text.startsWith('const') ? 'constant' : plain;
}

function nameOf(node: SyntaxNode, kind: OutlineKind): string {
  if (kind === 'import') return oneLine(importedName(node));
  if (node.type === 'impl_item')
    return oneLine(
      [node.childForFieldName('trait')?.text, node.childForFieldName('type')?.text].filter((name) => name !== undefined).join(' for '),
    );
  let named =
    node.childForFieldName('name') ??
    node.childForFieldName('property') ??
    node.childForFieldName('left') ??
    node.childForFieldName('declarator');
  // In C the name stands inside of what is declared: a pointer to a function that takes …
  for (let steps = 0; named !== null && steps < 64; steps++) {
    const inner = named.childForFieldName('declarator');
    if (inner === null) break;
    named = inner;
  }
  return oneLine(named?.text ?? '');
}

function importedName(node: SyntaxNode): string {
  const named =
    node.childForFieldName('module_name') ??
    node.childForFieldName('source') ??
    node.childForFieldName('path') ??
    node.childForFieldName('argument') ??
    node.childForFieldName('name') ??
    node.namedChild(0);
  return (named?.text ?? node.text.slice(0, OUTLINE_LIMITS.signatureMax)).replace(/^["'<]|["'>]$/g, '');
}

function errorAt(node: SyntaxNode): SyntaxError {
  const { row, column } = node.startPosition;
  const message = node.isMissing ? `${node.type} is missing` : `unexpected ${JSON.stringify(oneLine(node.text.slice(0, 60)))}`;
  return { line: row + 1, column: column + 1, message };
}

function oneLine(text: string): string {
  const clipped = text
    .slice(0, OUTLINE_LIMITS.signatureMax * 4)
    .replace(/\s+/g, ' ')
    .trim();
  return clipped.length > OUTLINE_LIMITS.signatureMax ? `${clipped.slice(0, OUTLINE_LIMITS.signatureMax)}…` : clipped;
}

function lineCountOf(source: string): number {
  let count = source === '' || source.endsWith('\n') ? 0 : 1;
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) count++;
  return count;
}

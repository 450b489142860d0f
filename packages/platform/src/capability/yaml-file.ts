/** A YAML text read with bounds, that remembers on which line everything stands. */
import type { JsonValue } from '@warren/protocol';
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { copyJson } from './copy-json.ts';
import type { Problem } from './definition.ts';
import { LIMITS } from './limits.ts';

export type YamlFile =
  | { readonly kind: 'read'; readonly value: JsonValue; readonly lineOf: (path: readonly PropertyKey[]) => number }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] };

/** Lists within lists in the text; the parser follows them with its stack. */
const BRACKETS_MAX = 200;

export function readYaml(file: string, text: string, bytesMax: number = LIMITS.fileBytesMax): YamlFile {
  const problem = (line: number, reason: string): Problem => ({ severity: 'error', file, line, field: '', reason });
  if (Buffer.byteLength(text) > bytesMax) return { kind: 'refused', problems: [problem(1, `is larger than ${bytesMax} bytes`)] };
  if (isTooDeep(text)) return { kind: 'refused', problems: [problem(1, `is nested deeper than ${LIMITS.depthMax}`)] };
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      schema: 'core',
      version: '1.2',
      uniqueKeys: true,
      prettyErrors: false,
      logLevel: 'error',
    });
    const faulty = [...document.errors, ...document.warnings];
    if (faulty.length > 0) {
      return {
        kind: 'refused',
        problems: faulty
          .slice(0, LIMITS.problemsMax)
          .map((each) => problem(lines.linePos(each.pos[0]).line || 1, `is not valid YAML: ${oneLine(each.message)}`)),
      };
    }
    const copied = copyJson(document.toJS({ maxAliasCount: LIMITS.aliasesMax }), 4 * bytesMax);
    if (copied.kind === 'refused') return { kind: 'refused', problems: [problem(1, `${copied.field} ${copied.reason}`.trim())] };
    return { kind: 'read', value: copied.value, lineOf: (path) => lineOf(document, lines, path) };
  } catch (error) {
    // What the parser throws itself: aliases that multiply, or nesting deeper than its stack.
    return {
      kind: 'refused',
      problems: [problem(1, `cannot be read: ${error instanceof RangeError ? 'it is nested too deep' : oneLine(String(error))}`)],
    };
  }
}

/** Of what stands at a path, or of the nearest around it. Aliases are followed. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const key of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((each) => isScalar(each.key) && String(each.key.value) === String(key));
      if (pair === undefined) break;
      if (isNode(pair.key) && pair.key.range) offset = pair.key.range[0];
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(key)];
      if (isNode(node) && node.range) offset = node.range[0];
    } else break;
  }
  return lines.linePos(offset).line || 1;
}

/** Before the parser sees it: brackets that open, dashes at the beginning of a line, and blanks there, of which each level needs one. */
function isTooDeep(text: string): boolean {
  let open = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x5b || code === 0x7b) {
      if (++open > BRACKETS_MAX) return true;
    } else if ((code === 0x5d || code === 0x7d) && open > 0) open--;
  }
  return /^[ \t]*(?:[-?:][ \t]+){40}|^[ \t]{400}/m.test(text);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/\.$/, '').slice(0, 300);
}

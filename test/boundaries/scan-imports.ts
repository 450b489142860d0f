/**
 * Finds the imports of a TypeScript file without a parser: comments and the insides of strings are taken out first, then the few forms
 * that import are matched. It does not look into template strings, and it does not see names that are put together at run time.
 */

export type Import = { readonly specifier: string; readonly line: number };

export function scanImports(source: string): readonly Import[] {
  const { code, strings } = maskStrings(source);
  return [...code.matchAll(IMPORT)].map((match) => ({
    specifier: strings[Number(match.groups?.['string'])] ?? '',
    line: code.slice(0, match.index).split('\n').length,
  }));
}

/** Whether the file hands on everything of another one, `export * from`. */
export function hasExportStar(source: string): boolean {
  return /\bexport\s*\*/.test(maskStrings(source).code);
}

/** `import … from "x"`, `export … from "x"`, `import "x"`, `import("x")` (also as a type), `require("x")`. A masked string is "number". */
const IMPORT =
  /(?:(?<![.\w$])(?:(?:import|export)\s*(?:type\b)?[\w\s$*{},"]*?\bfrom\s*|import\s*|(?:import|require)\s*\(\s*)|\bgetBuiltinModule\s*\(\s*)"(?<string>\d+)"/g;

/** Words after which a slash begins a regular expression, not a division. */
const BEFORE_REGEXP = /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield))\s*$/;

/** The code with comments blanked, each string replaced by its number in quotes, and templates and regular expressions emptied. Lines stay. */
function maskStrings(source: string): { readonly code: string; readonly strings: readonly string[] } {
  const strings: string[] = [];
  let code = '';
  let at = 0;
  while (at < source.length) {
    const rest = source.slice(at, at + 2);
    const first = source.charAt(at);
    let end = at + 1;
    let masked = first;
    if (rest === '//' || (at === 0 && rest === '#!')) {
      end = indexOrEnd(source, '\n', at);
      masked = '';
    } else if (rest === '/*') {
      end = indexOrEnd(source, '*/', at + 2) + 2;
      masked = linesOf(source.slice(at, end));
    } else if (first === "'" || first === '"') {
      end = closing(source, at, first);
      masked = `"${strings.push(source.slice(at + 1, end - 1)) - 1}"`;
    } else if (first === '`') {
      end = closingTemplate(source, at);
      masked = `\`${linesOf(source.slice(at, end))}\``;
    } else if (first === '/' && BEFORE_REGEXP.test(code.slice(-20))) {
      end = closingRegExp(source, at);
      masked = '/ /';
    }
    code += masked;
    at = end;
  }
  return { code, strings };
}

/** The index after the quote that closes the string begun at `from`; a string ends with its line at the latest. */
function closing(source: string, from: number, quote: string): number {
  for (let at = from + 1; at < source.length; at += 1) {
    if (source[at] === '\\') at += 1;
    else if (source[at] === quote || source[at] === '\n') return at + 1;
  }
  return source.length;
}

/** As above for a template, whose `${ }` may hold templates again. */
function closingTemplate(source: string, from: number): number {
  const open: ('template' | 'brace')[] = ['template'];
  for (let at = from + 1; at < source.length; at += 1) {
    const inTemplate = open.at(-1) === 'template';
    if (source[at] === '\\') at += 1;
    else if (source[at] === '`') inTemplate ? open.pop() : open.push('template');
    else if (inTemplate && source.startsWith('${', at)) open.push('brace');
    else if (!inTemplate && source[at] === '{' && source[at - 1] !== '$') open.push('brace');
    else if (!inTemplate && source[at] === '}') open.pop();
    if (open.length === 0) return at + 1;
  }
  return source.length;
}

/** As above for a regular expression: a slash in a character class does not close it. */
function closingRegExp(source: string, from: number): number {
  let inClass = false;
  for (let at = from + 1; at < source.length && source[at] !== '\n'; at += 1) {
    if (source[at] === '\\') at += 1;
    else if (source[at] === '[') inClass = true;
    else if (source[at] === ']') inClass = false;
    else if (source[at] === '/' && !inClass) return at + 1;
  }
  return from + 1; // It was a division after all.
}

function indexOrEnd(source: string, sought: string, from: number): number {
  const found = source.indexOf(sought, from);
  return found === -1 ? source.length : found;
}

function linesOf(text: string): string {
  return text.replace(/[^\n]/g, '');
}

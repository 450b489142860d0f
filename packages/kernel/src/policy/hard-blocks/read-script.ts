/**
 * Reads a script as a shell would, far enough to see which commands it starts with which words: quotes, escapes, expansions it can work out, braces, lists,
 * pipes, groups, functions, redirections, here-documents, substitutions. It is lenient where a shell would refuse, for then nothing happens anyway. One pass, and
 * the text of a substitution once more for each level, which the budget bounds.
 */
import { decodeEscapes } from './decode-escapes.ts';
import { expandBraces } from './expand-braces.ts';
import { outputOf } from './output-of.ts';
import { type Budget, descend, type ShellCommand, spend } from './shell-command.ts';
import { ShellVariables } from './shell-variables.ts';
import { UNKNOWN_TEXT } from './unknown-text.ts';

type OnCommand = (command: ShellCommand) => void;

export type ScriptOptions = {
  readonly positional?: readonly string[];
  readonly directory?: string | undefined;
  readonly stdin?: string | undefined;
  readonly variables?: ShellVariables;
};

/** Tells of each command in turn. Throws `Unreadable` when the budget is spent. */
export function readScript(text: string, budget: Budget, onCommand: OnCommand, options: ScriptOptions = {}): void {
  new ScriptReader(text, budget, onCommand, options).read();
}

const BLANK = new Set([' ', '\t', '\r', '\v', '\f']);
const ENDS_WORD = new Set([' ', '\t', '\n', '\r', '\v', '\f', ';', '&', '|', '(', ')', '<', '>']);
const KEYWORDS = new Set(['if', 'then', 'do', 'else', 'elif', 'while', 'until', 'fi', 'done', 'esac', '!', 'time', 'coproc', 'in']);
const DECLARES = new Set(['export', 'declare', 'local', 'readonly', 'typeset']);
const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*)(\+?)=/;

class ScriptReader {
  readonly #text: string;
  readonly #budget: Budget;
  readonly #onCommand: OnCommand;
  readonly #variables: ShellVariables;
  readonly #aliases = new Map<string, string>();
  /** Groups that are open, with the function each is the body of. */
  readonly #groups: (string | undefined)[] = [];
  #at = 0;
  #words: string[] = [];
  #writes: string[] = [];
  #stdin: string | undefined;
  #directory: string | undefined;
  #definedFunction: string | undefined;
  #isAfterPipe = false;
  /** Where the text goes on after the line, when here-documents follow it. */
  #afterLine: number | undefined;

  constructor(text: string, budget: Budget, onCommand: OnCommand, { positional = [], directory, stdin, variables }: ScriptOptions) {
    this.#text = text;
    this.#budget = budget;
    this.#onCommand = onCommand;
    this.#variables = new ShellVariables(positional, variables);
    this.#directory = directory;
    this.#stdin = stdin;
    spend(budget, text.length + 1);
  }

  read(): void {
    for (let character = this.#next(); character !== undefined; character = this.#next()) this.#step(character);
    this.#end('');
  }

  /** The next that is not blank. */
  #next(): string | undefined {
    for (;;) {
      if (this.#text.startsWith('\\\n', this.#at)) this.#at += 2;
      else if (BLANK.has(this.#text[this.#at] ?? '')) this.#at++;
      else return this.#text[this.#at];
    }
  }

  #step(character: string): void {
    switch (character) {
      case '\n':
        this.#end(';');
        this.#at = this.#afterLine ?? this.#at + 1;
        this.#afterLine = undefined;
        return;
      case '#':
        this.#at = this.#indexOrEnd('\n', this.#at);
        return;
      case ';':
        this.#at++;
        this.#end(';');
        return;
      case '&':
      case '|':
        this.#separate(character);
        return;
      case '(':
        this.#open();
        return;
      case ')':
        this.#at++;
        this.#close();
        return;
      case '<':
      case '>':
        this.#redirect();
        return;
      default:
        this.#word();
    }
  }

  #separate(character: string): void {
    const next = this.#text[this.#at + 1];
    if (character === '&' && next === '>') {
      this.#at++;
      this.#redirect();
    } else if (next === character) {
      this.#at += 2;
      this.#end(';');
    } else {
      this.#at += character === '|' && next === '&' ? 2 : 1;
      this.#end(character);
    }
  }

  #open(): void {
    this.#at++;
    const [name] = this.#words;
    if (this.#words.length === 1 && name !== undefined && this.#next() === ')') {
      this.#at++;
      this.#words = [];
      this.#definedFunction = name;
      return;
    }
    this.#end(';');
    this.#enter();
  }

  #enter(): void {
    this.#groups.push(this.#definedFunction);
    this.#definedFunction = undefined;
  }

  #close(): void {
    this.#end(';');
    this.#groups.pop();
  }

  #word(): void {
    const start = this.#at;
    const words = this.#readWord();
    const text = this.#text.slice(start, this.#at);
    const next = this.#text[this.#at];
    if (/^[0-9]$/.test(text) && (next === '<' || next === '>')) return; // The number of a descriptor.
    if (this.#words.length === 0 && this.#isKeyword(text)) return;
    this.#words.push(...words);
    spend(this.#budget, words.length);
  }

  /** Words that are none where a command begins. */
  #isKeyword(text: string): boolean {
    if (text === '{') this.#enter();
    else if (text === '}') this.#close();
    else if (text === 'function') {
      this.#next();
      this.#definedFunction = this.#readWord()[0];
      if (this.#text.startsWith('()', this.#at)) this.#at += 2;
    } else return KEYWORDS.has(text);
    return true;
  }

  /** What one word of the text becomes: none, one or several. */
  #readWord(): string[] {
    const done: string[] = [];
    let word: string | undefined;
    let hasBraces = false;
    const add = (text: string): void => {
      word = (word ?? '') + text;
    };
    const addSplit = (text: string): void => {
      const parts = text.split(/[ \t\n]+/);
      for (const [index, part] of parts.entries()) {
        if (index > 0 && word !== undefined && word !== '') done.push(word);
        if (index > 0) word = undefined;
        if (part !== '') add(part);
      }
    };
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || ENDS_WORD.has(character)) break;
      if (character === "'") add(this.#readUntilQuote());
      else if (character === '"') add(this.#readDoubleQuoted(addSplit));
      else if (character === '\\') add(this.#readEscaped());
      else if (character === '$' && this.#text[this.#at + 1] === "'") add(this.#readAnsiQuoted());
      else if (character === '$' && this.#text[this.#at + 1] === '"') this.#at++;
      else if (character === '$' || character === '`') addSplit(this.#readExpansion().text);
      else {
        hasBraces ||= character === '{';
        add(character);
        this.#at++;
      }
    }
    if (word !== undefined) done.push(word);
    return hasBraces ? done.flatMap(expandBraces) : done;
  }

  #readUntilQuote(): string {
    const end = this.#indexOrEnd("'", this.#at + 1);
    const text = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return text;
  }

  #readEscaped(): string {
    const escaped = this.#text[this.#at + 1] ?? '';
    this.#at += 2;
    return escaped === '\n' ? '' : escaped;
  }

  #readAnsiQuoted(): string {
    const start = this.#at + 2;
    let end = start;
    while (end < this.#text.length && this.#text[end] !== "'") end += this.#text[end] === '\\' ? 2 : 1;
    this.#at = end + 1;
    return decodeEscapes(this.#text.slice(start, end));
  }

  #readDoubleQuoted(addSplit: (text: string) => void): string {
    let text = '';
    this.#at++;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || character === '"') break;
      if (character === '\\') {
        const escaped = this.#text[this.#at + 1] ?? '';
        text += '$`"\\'.includes(escaped) ? escaped : escaped === '\n' ? '' : `\\${escaped}`;
        this.#at += 2;
      } else if (character === '$' || character === '`') {
        const { text: value, isList } = this.#readExpansion();
        if (isList) {
          addSplit(text + value);
          text = '';
        } else text += value;
      } else {
        text += character;
        this.#at++;
      }
    }
    this.#at++;
    return text;
  }

  #readExpansion(): { readonly text: string; readonly isList: boolean } {
    const rest = this.#text[this.#at + 1] ?? '';
    if (this.#text[this.#at] === '`') return { text: this.#substitute(this.#readBackquoted()), isList: false };
    if (rest === '(') {
      const inner = this.#readBalanced('(', ')');
      if (inner.startsWith('(') && inner.endsWith(')')) return { text: UNKNOWN_TEXT, isList: false }; // Arithmetic.
      return { text: this.#substitute(inner), isList: false };
    }
    if (rest === '{') {
      const inner = this.#readBalanced('{', '}');
      return { text: this.#variables.expand(inner, (text) => this.#expandText(text)), isList: this.#variables.isList(inner) };
    }
    NAME.lastIndex = this.#at + 1;
    const name = NAME.exec(this.#text)?.[0];
    this.#at += 1 + (name?.length ?? 0);
    return name === undefined
      ? { text: '$', isList: false }
      : { text: this.#variables.get(name), isList: name === '@' || this.#variables.isList(name) };
  }

  #readBackquoted(): string {
    const start = this.#at + 1;
    let end = start;
    while (end < this.#text.length && this.#text[end] !== '`') end += this.#text[end] === '\\' ? 2 : 1;
    this.#at = end + 1;
    return this.#text.slice(start, end).replaceAll(/\\([\\`$])/g, '$1');
  }

  /** From the character after this one to what closes it. */
  #readBalanced(open: string, close: string): string {
    const start = this.#at + 2;
    let depth = 1;
    let end = start;
    for (; end < this.#text.length; end++) {
      const character = this.#text[end];
      if (character === '\\') end++;
      else if (character === "'" && open === '(') end = this.#indexOrEnd("'", end + 1);
      else if (character === open) depth++;
      else if (character === close && --depth === 0) break;
    }
    this.#at = Math.min(this.#text.length, end + 1);
    return this.#text.slice(start, end);
  }

  /** Examines a script within the script. Returns what it prints, if that is plain to see. */
  #substitute(text: string): string {
    let output: string | undefined;
    let count = 0;
    this.#nested(text, (command) => {
      count++;
      output = outputOf(command);
      this.#onCommand(command);
    });
    return count === 1 && output !== undefined ? output.replace(/\n+$/, '') : UNKNOWN_TEXT;
  }

  #expandText(text: string): string {
    return descend(this.#budget, () => this.#wordsOf(text).join(' '));
  }

  #wordsOf(text: string): readonly string[] {
    const reader = new ScriptReader(text, this.#budget, this.#onCommand, { directory: this.#directory, variables: this.#variables });
    const parts: string[] = [];
    while (reader.#next() !== undefined) {
      const at = reader.#at;
      parts.push(...reader.#readWord());
      if (reader.#at === at) reader.#at++;
    }
    return parts;
  }

  #nested(text: string, onCommand: OnCommand): void {
    const options = { directory: this.#directory, variables: this.#variables };
    descend(this.#budget, () => readScript(text, this.#budget, onCommand, options));
  }

  #redirect(): void {
    const [, operator = '', body = ''] = /^(>>|>\||>&|<<<|<<-?|<>|<&|<|>)([\s\S]?)/.exec(this.#text.slice(this.#at, this.#at + 4)) ?? [];
    if ((operator === '<' || operator === '>') && body === '(') {
      const inner = this.#readBalanced('(', ')');
      this.#nested(inner, this.#onCommand);
      this.#words.push(UNKNOWN_TEXT);
      return;
    }
    this.#at += operator.length;
    this.#next();
    if (operator.startsWith('<<') && operator !== '<<<') {
      this.#readHereDocument(operator === '<<-');
      return;
    }
    const words = this.#readWord();
    if (operator === '<<<') this.#stdin = words.join(' ');
    else if (operator !== '<' && operator !== '<&') this.#writes.push(...words);
  }

  #readHereDocument(isIndented: boolean): void {
    const [delimiter = ''] = this.#readWord();
    const lines: string[] = [];
    let at = this.#afterLine ?? this.#indexOrEnd('\n', this.#at) + 1;
    while (at < this.#text.length) {
      const end = this.#indexOrEnd('\n', at);
      const line = this.#text.slice(at, end);
      at = end + 1;
      if ((isIndented ? line.replace(/^\t+/, '') : line) === delimiter) break;
      lines.push(line);
    }
    this.#afterLine = at;
    this.#stdin = lines.join('\n');
  }

  /** Ends the command that was read, and says what separates it from the next. */
  #end(separator: string): void {
    const words = this.#assign(this.#words);
    const stdin = this.#stdin;
    const writes = this.#writes;
    const isParallel = this.#isAfterPipe || separator === '|' || separator === '&';
    this.#words = [];
    this.#writes = [];
    this.#stdin = undefined;
    this.#isAfterPipe = separator === '|';
    if (words.length === 0 && writes.length === 0) return;
    const functions = this.#groups.filter((name) => name !== undefined);
    const command = { words: this.#withoutAlias(words), writes, stdin, directory: this.#directory, functions, isParallel };
    this.#onCommand(command);
    this.#remember(command.words);
    if (separator === '|') this.#stdin = outputOf(command);
  }

  /** Leaves the words that are no assignments. */
  #assign(words: readonly string[]): readonly string[] {
    const at = words.findIndex((word) => !ASSIGNMENT.test(word));
    const count = at === -1 ? words.length : at;
    for (const word of words.slice(0, count)) this.#assignOne(word);
    return words.slice(count);
  }

  #assignOne(word: string): void {
    const [text, name = '', plus] = ASSIGNMENT.exec(word) ?? [];
    if (text === undefined) return;
    const value = word.slice(text.length);
    this.#variables.set(name, plus === '+' ? this.#variables.get(name) + value : value);
  }

  #withoutAlias(words: readonly string[]): readonly string[] {
    const [name = '', ...rest] = words;
    const alias = this.#aliases.get(name);
    return alias === undefined ? words : [...alias.split(/\s+/).filter((word) => word !== ''), ...rest];
  }

  /** What a command leaves for those after it. */
  #remember([name = '', ...rest]: readonly string[]): void {
    const last = rest.at(-1);
    if (last !== undefined) this.#variables.set('_', last);
    if (DECLARES.has(name)) for (const word of rest) this.#assignOne(word);
    if (name === 'alias') {
      for (const word of rest) this.#aliases.set(word.slice(0, Math.max(0, word.indexOf('='))), word.slice(word.indexOf('=') + 1));
    }
    if (name === 'set' && rest[0] === '--') this.#variables.setPositional(rest.slice(1));
    if ((name === 'for' || name === 'select') && rest[1] === 'in') this.#variables.setList(rest[0] ?? '', rest.slice(2));
    if (name === 'cd' || name === 'pushd') this.#enterDirectory(rest.find((word) => !word.startsWith('-')));
  }

  #enterDirectory(directory: string | undefined): void {
    if (directory === undefined || directory.startsWith('~')) this.#directory = undefined;
    else if (directory.startsWith('/')) this.#directory = directory;
    else if (this.#directory !== undefined) this.#directory = `${this.#directory}/${directory}`.slice(0, 8_192);
  }

  #indexOrEnd(text: string, from: number): number {
    const index = this.#text.indexOf(text, from);
    return index === -1 ? this.#text.length : index;
  }
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!_-]/y;

import { UNKNOWN_TEXT } from './unknown-text.ts';

/** The variables of a script, as far as the script itself says. */
export class ShellVariables {
  readonly #values: Map<string, string>;
  /** Those of loops: each value is one of many, so they fall apart into words even within quotes. */
  readonly #lists = new Set<string>();

  constructor(positional: readonly string[], inherited?: ShellVariables) {
    this.#values = new Map(inherited === undefined ? [] : inherited.#values);
    if (inherited === undefined || positional.length > 0) this.setPositional(positional);
  }

  setPositional(values: readonly string[]): void {
    for (const [index, value] of values.slice(0, 9).entries()) this.#values.set(`${index + 1}`, value);
    for (const name of ['@', '*']) this.#values.set(name, values.join(' '));
  }

  set(name: string, value: string): void {
    if (this.#values.size < 1_000) this.#values.set(name, value);
  }

  setList(name: string, values: readonly string[]): void {
    this.set(name, values.join(' '));
    this.#lists.add(name);
  }

  isList(name: string): boolean {
    return this.#lists.has(name);
  }

  /** Of `$name`. The separator of words counts as a space, whatever is cut off it. */
  get(name: string): string {
    if (name === 'IFS') return ' ';
    return this.#values.get(name) ?? (/^[1-9]$/.test(name) ? '' : UNKNOWN_TEXT);
  }

  /** Of `${…}`, between the braces. */
  expand(inner: string, expandWord: (text: string) => string): string {
    const [, name = '', operator = '', word = ''] = /^([A-Za-z_][A-Za-z0-9_]*|[0-9@*])(:?[-=+?])?([\s\S]*)$/.exec(inner) ?? [];
    if (name === 'IFS') return ' ';
    if (operator.endsWith('+')) return this.#values.has(name) ? expandWord(word) : '';
    const value = this.get(name);
    const isDefault = operator.endsWith('-') || operator.endsWith('=');
    if (isDefault) return value === UNKNOWN_TEXT || value === '' ? expandWord(word) : value;
    return operator === '' && word !== '' ? UNKNOWN_TEXT : value;
  }
}

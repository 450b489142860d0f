/** The rules of one sandbox, read once and asked for each request. */
import { coversNames, Fault, type HostPattern, readHostPattern } from '@warren/protocol';
import { EgressRefusal } from '../egress.ts';
import { readHost } from '../read-target.ts';
import type { EgressAsked, EgressRule } from './egress-network.ts';

type Rule = {
  readonly pattern: HostPattern;
  readonly methods: ReadonlySet<string> | undefined;
  readonly paths: readonly string[] | undefined;
  readonly isInspected: boolean;
};

const RULES_MAX = 256;
const LIST_MAX = 64;
const PATH_LENGTH_MAX = 1_024;
const PORT_MAX = 65_535;
const WEB_PORTS: ReadonlySet<number> = new Set([80, 443]);
const METHOD = /^[A-Z][A-Z-]{0,31}$/;
const PATH = /^\/[\x21-\x29\x2b-\x3e\x40-\x7e]*\*?$/;
/** What servers read in more than one way: an encoded separator, a second one, a parameter, an encoding of an encoding. */
const AMBIGUOUS = /%(?:2f|5c|25|00)|\/\/|;/i;

export class ProxyRules {
  /** For the guard, which asks again. */
  readonly hosts: readonly string[];
  readonly #rules: readonly Rule[];

  /** Throws the fault `invalid_argument`, naming the field. */
  constructor(given: readonly EgressRule[]) {
    if (!Array.isArray(given)) throw malformed('network.rules is not a list');
    if (given.length > RULES_MAX) throw malformed(`network.rules has ${given.length} entries, the limit is ${RULES_MAX}`);
    this.#rules = given.map(readRule);
    this.hosts = given.map(({ host }: EgressRule) => host);
  }

  /** Whether connections to any host are opened. */
  get inspectsAny(): boolean {
    return this.#rules.some(({ isInspected }) => isInspected);
  }

  /** Whether connections to this host are opened. Throws `EgressRefusal` when no rule is about it. */
  inspects(host: string, port: number): boolean {
    return this.#about(host, port).some(({ isInspected }) => isInspected);
  }

  /** Throws `EgressRefusal` when no rule allows it. */
  admit({ method, host, port, path }: Pick<EgressAsked, 'method' | 'host' | 'port' | 'path'>): void {
    if (this.#about(host, port).some((rule) => allows(rule, method, path))) return;
    const why = path === undefined ? 'its rules are about methods or paths, which a tunnel hides' : `no rule allows ${method} of this path`;
    throw new EgressRefusal('request_not_allowed', host, `Cannot send this request to ${host}: ${why}`);
  }

  #about(host: string, port: number): readonly Rule[] {
    const named = { scope: 'host', host, port } as const;
    const about = this.#rules.filter(
      ({ pattern }) => coversNames(pattern, named) && (pattern.port === undefined ? WEB_PORTS.has(port) : pattern.port === port),
    );
    if (about.length > 0) return about;
    throw new EgressRefusal('host_not_allowed', host, `Cannot reach ${host}: no rule of this sandbox allows ${host}:${port}`);
  }
}

function allows({ methods, paths }: Rule, method: string, path: string | undefined): boolean {
  if (methods === undefined && paths === undefined) return true;
  if (path === undefined) return false;
  if (methods !== undefined && !methods.has(method)) return false;
  if (paths === undefined) return true;
  return !AMBIGUOUS.test(path) && paths.some((each) => (each.endsWith('*') ? path.startsWith(each.slice(0, -1)) : path === each));
}

function readRule(rule: EgressRule, index: number): Rule {
  const field = `network.rules[${index}]`;
  if (typeof rule !== 'object' || rule === null) throw malformed(`${field} is not an object`);
  const unknown = Object.keys(rule).find((key) => !['host', 'methods', 'paths', 'inspect'].includes(key));
  if (unknown !== undefined) throw malformed(`${field} has an unknown field ${JSON.stringify(unknown)}`);
  const { inspect = false } = rule;
  if (typeof inspect !== 'boolean') throw malformed(`${field}.inspect is neither true nor false`);
  return {
    pattern: readPattern(rule.host, `${field}.host`),
    methods: rule.methods === undefined ? undefined : new Set(readList(rule.methods, METHOD, `${field}.methods`)),
    paths: rule.paths === undefined ? undefined : readList(rule.paths, PATH, `${field}.paths`),
    isInspected: inspect,
  };
}

function readPattern(text: unknown, field: string): HostPattern {
  if (typeof text !== 'string') throw malformed(`${field} is not text`);
  const pattern = readHostPattern(text);
  const isWhole = pattern.scope === 'all' || isCanonical(pattern.host);
  if (!isWhole || (pattern.port ?? 1) > PORT_MAX)
    throw malformed(`${field} is ${JSON.stringify(text).slice(0, 300)}, it must be a host, *.host, **.host or *, with or without :port`);
  return pattern;
}

function isCanonical(host: string): boolean {
  try {
    return readHost(host).host === host;
  } catch {
    return false; // What it is not is said by the caller, with the field.
  }
}

function readList(given: readonly string[], shape: RegExp, field: string): readonly string[] {
  if (!Array.isArray(given) || given.length === 0 || given.length > LIST_MAX)
    throw malformed(`${field} is no list of 1 to ${LIST_MAX} entries`);
  for (const each of given as readonly unknown[]) {
    if (typeof each !== 'string' || each.length > PATH_LENGTH_MAX || !shape.test(each) || (each.endsWith('*') && !each.endsWith('/*')))
      throw malformed(`${field} holds ${JSON.stringify(each)?.slice(0, 300)}, which is none`);
  }
  return [...given];
}

function malformed(what: string): Fault<'invalid_argument'> {
  return new Fault('invalid_argument', `Cannot start a sandbox: ${what}`);
}

/**
 * Host patterns: one host (`h`), those one label below a domain (`*.h`), a domain and all below it at any depth (`**.h`), or all (`*`). Each may end in
 * `:port`; without one it stands for every port. Hosts here are canonical: lower case, ASCII, no dot at the end, IPv6 in brackets.
 */
export type HostPattern = {
  readonly scope: 'host' | 'below' | 'within' | 'all';
  /** Canonical; empty for all. */
  readonly host: string;
  /** Undefined: every port. */
  readonly port: number | undefined;
};

/** Only of a pattern in its canonical form: nothing is checked. */
export function readHostPattern(text: string): HostPattern {
  const { host, port } = splitPort(text);
  if (host === '*') return { scope: 'all', host: '', port };
  if (host.startsWith('**.')) return { scope: 'within', host: host.slice(3), port };
  if (host.startsWith('*.')) return { scope: 'below', host: host.slice(2), port };
  return { scope: 'host', host, port };
}

/** Whether everything that `inner` stands for is in `outer`. A host alone is a pattern too. */
export function coversHosts(outer: HostPattern, inner: HostPattern): boolean {
  return (outer.port === undefined || outer.port === inner.port) && coversNames(outer, inner);
}

/** The same but for ports. */
export function coversNames(outer: HostPattern, inner: HostPattern): boolean {
  switch (outer.scope) {
    case 'all':
      return true;
    case 'within':
      return isWithin(inner.host, outer.host); // All hosts have no name that could be within.
    case 'below':
      return inner.scope === 'host' ? isDirectlyBelow(inner.host, outer.host) : inner.scope === 'below' && inner.host === outer.host;
    case 'host':
      return inner.scope === 'host' && inner.host === outer.host;
    default:
      return outer.scope satisfies never;
  }
}

export function splitPort(text: string): { readonly host: string; readonly port: number | undefined } {
  const port = /:([1-9][0-9]{0,4})$/.exec(text)?.[1];
  return port === undefined ? { host: text, port: undefined } : { host: text.slice(0, -port.length - 1), port: Number(port) };
}

export function isDirectlyBelow(host: string, domain: string): boolean {
  return host.endsWith(`.${domain}`) && !host.slice(0, -domain.length - 1).includes('.');
}

function isWithin(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}

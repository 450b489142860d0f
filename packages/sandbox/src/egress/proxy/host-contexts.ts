/** Certificates for the hosts a sandbox speaks with, each made when it is first asked for and kept as long as there is room. */
import type { SecureContext } from 'node:tls';
import { Authority } from '../../certificate/authority.ts';

/** A sandbox that may reach any host gets certificates anew beyond these. */
const KEPT_MAX = 256;
const SUBJECT = 'Warren sandbox';

export class HostContexts {
  readonly #authority: Authority;
  /** By host, the one asked for longest ago first. */
  readonly #kept = new Map<string, SecureContext>();

  constructor(now: Date) {
    this.#authority = new Authority(SUBJECT, now);
  }

  /** Of the authority, as PEM. */
  get certificate(): string {
    return this.#authority.certificate;
  }

  async of(host: string): Promise<SecureContext> {
    const { createSecureContext } = await import('node:tls'); // Takes its time to load, and a start has none.
    const context = this.#kept.get(host) ?? createSecureContext({ ...this.#authority.issue(withoutBrackets(host)), minVersion: 'TLSv1.2' });
    this.#kept.delete(host);
    this.#kept.set(host, context);
    const [oldest = host] = this.#kept.keys();
    if (this.#kept.size > KEPT_MAX) this.#kept.delete(oldest);
    return context;
  }
}

function withoutBrackets(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

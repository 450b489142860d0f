/** TLS for every TCP address: one certificate, which is looked at again from time to time, as whoever renews it tells nobody. */
import { contextOf, createHttpsServer, type TlsServer } from '../create-http-server.ts';
import type { Gateway } from '../gateway.ts';
import type { TlsOptions } from '../served.ts';
import { keepSelfSigned, ownNames, type TlsPaths } from './self-signed.ts';
import { readTlsIdentity, type TlsIdentity, versionOf } from './tls-identity.ts';

const LOOKED_AT_EVERY_MS = 10_000;

export class TlsDoor implements Disposable {
  readonly #paths: TlsPaths;
  readonly #gateway: Pick<Gateway, 'limits' | 'log'>;
  readonly #servers: TlsServer[] = [];
  readonly #timer: NodeJS.Timeout;
  #identity: TlsIdentity;
  /** What was looked at last, whether it could be used or not. */
  #seen: string;

  /** Throws `invalid_argument` for files that cannot be used. */
  constructor(options: TlsOptions, hosts: readonly string[], gateway: Pick<Gateway, 'limits' | 'log'>) {
    this.#paths = options.kind === 'files' ? options : keepSelfSigned(options.directory, ownNames(hosts));
    this.#gateway = gateway;
    this.#identity = readTlsIdentity(this.#paths);
    this.#seen = this.#identity.version;
    this.#timer = setInterval(() => this.reload(), LOOKED_AT_EVERY_MS);
    this.#timer.unref();
  }

  get fingerprint(): string {
    return this.#identity.fingerprint;
  }

  async createServer(): Promise<TlsServer> {
    const server = await createHttpsServer(this.#gateway.limits, this.#identity);
    this.#servers.push(server);
    return server;
  }

  /** Takes what stands in the files now, if that is something else and can be used. */
  reload(): void {
    const { log } = this.#gateway;
    try {
      const version = versionOf(this.#paths);
      if (version === this.#seen) return;
      this.#seen = version;
      const identity = readTlsIdentity(this.#paths);
      for (const server of this.#servers) server.setSecureContext(contextOf(identity));
      this.#identity = identity;
      log.info('The certificate was replaced', { fingerprint: identity.fingerprint });
    } catch (error) {
      log.error('The certificate there is now cannot be used: the one before stays', {
        reason: error instanceof Error ? error.message : 'unknown',
      });
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

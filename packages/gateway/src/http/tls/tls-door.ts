/** TLS for every TCP address: one certificate, which is looked at again from time to time, as whoever renews it tells nobody. */
import { contextOf, createHttpsServer, type TlsServer } from '../create-http-server.ts';
import type { Gateway } from '../gateway.ts';
import type { TlsOptions } from '../served.ts';
import { keepSelfSigned, ownNames, type TlsPaths } from './self-signed.ts';
import { readTlsIdentity, type TlsIdentity, versionOf } from './tls-identity.ts';

const LOOKED_AT_EVERY_MS = 10_000;

/** Why what stands in the files cannot be used; undefined when it can. */
export type OnTlsProblem = (reason: string | undefined) => void;

export class TlsDoor implements Disposable {
  readonly #paths: TlsPaths;
  readonly #gateway: Pick<Gateway, 'limits' | 'log'>;
  readonly #servers: TlsServer[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #onProblem: OnTlsProblem;
  #identity: TlsIdentity;
  /** What was looked at last, whether it could be used or not. */
  #seen: string;
  /** It failed once: whoever renews it may be in the middle of that, and it is looked at again before people are told. */
  #isDoubtful = false;

  /** Throws `invalid_argument` for files that cannot be used. */
  constructor(options: TlsOptions, hosts: readonly string[], gateway: Pick<Gateway, 'limits' | 'log'>, onProblem: OnTlsProblem = () => {}) {
    this.#onProblem = onProblem;
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

  /** Takes what stands in the files now, if that is something else and can be used. `isAsked`: somebody says that it is all there. */
  reload({ isAsked = false } = {}): void {
    const { log } = this.#gateway;
    try {
      const version = versionOf(this.#paths);
      if (version === this.#seen && !isAsked && !this.#isDoubtful) return;
      this.#seen = version;
      const identity = readTlsIdentity(this.#paths);
      for (const server of this.#servers) server.setSecureContext(contextOf(identity));
      if (identity.fingerprint !== this.#identity.fingerprint)
        log.info('The certificate was replaced', { fingerprint: identity.fingerprint });
      this.#identity = identity;
      this.#isDoubtful = false;
      this.#onProblem(undefined);
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown';
      const isSecondLook = this.#isDoubtful && !isAsked;
      if (!isSecondLook) log.error('The certificate there is now cannot be used: the one before stays', { reason });
      if (isSecondLook || isAsked) this.#onProblem(reason);
      this.#isDoubtful = !isSecondLook && !isAsked;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

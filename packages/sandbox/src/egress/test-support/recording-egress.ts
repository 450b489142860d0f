import { SYSTEM_CLOCK } from '../deadline.ts';
import { EgressRefusal } from '../egress.ts';
import { GuardedEgress } from '../guarded-egress.ts';

export type Reached = { name?: string; host?: string; port?: number; addresses?: readonly string[] };

/** A guard that connects nowhere and tells what it would have looked up and connected to. */
export class RecordingEgress implements AsyncDisposable {
  #reached: Reached = {};
  readonly #egress = new GuardedEgress({
    clock: SYSTEM_CLOCK,
    privateNetworks: [],
    tls: {},
    ownAddresses: () => [],
    isPeer: () => false,
    openMax: 8,
    resolve: async (name) => {
      this.#reached.name = name;
      return ['93.184.216.34'];
    },
    dial: async (pinned) => {
      Object.assign(this.#reached, pinned);
      throw new EgressRefusal('not_connected', pinned.host, 'Cannot connect: this guard never does');
    },
  });

  /** What a request to this URL reaches. Anything but a refusal is thrown. */
  async reach(url: string): Promise<Reached> {
    this.#reached = {};
    const outcome: unknown = await this.#egress
      .fetch({ hosts: ['*'] }, { url }, new AbortController().signal)
      .catch((error: unknown) => error);
    if (outcome instanceof EgressRefusal) return this.#reached;
    throw outcome;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#egress[Symbol.asyncDispose]();
  }
}

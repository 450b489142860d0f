/**
 * What the program of a skill does over the network is of the process that has it run: the first to a host by a method is on disk before it is sent, all is in the events,
 * bytes are in the ledger, and a budget that is spent ends it. Where it may go its declaration says, which somebody has approved; no policy of requests does.
 */
import type { WorkspaceKernel } from '@warren/kernel';
import type { EgressAsked, EgressEvent, EgressTraffic, EgressVerdict } from '@warren/sandbox';
import { ByteAccount } from './byte-account.ts';
import { DecisionLog } from './decision-log.ts';

/** The caller disposes it when the sandbox is gone. */
export class SkillNetwork implements AsyncDisposable {
  readonly #log: DecisionLog;
  readonly #bytes: ByteAccount;
  /** Fires when nothing more may be used. */
  #ending = new AbortController();
  #isSpent = false;

  constructor({ events, ledger }: Pick<WorkspaceKernel, 'events' | 'ledger'>, pid: number) {
    this.#log = new DecisionLog((payload) => events.append({ pid, kind: 'egress.decided', payload }));
    this.#bytes = new ByteAccount(
      async (bytes) => {
        const charges = await ledger.record(pid, { net_bytes: bytes });
        if (!charges.some(({ charged }) => charged.isOver)) return;
        this.#isSpent = true;
        this.#end();
      },
      () => this.#end(),
    );
  }

  async decide(asked: EgressAsked): Promise<EgressVerdict> {
    this.#bytes.requireWhole();
    const until = this.#ending.signal; // Before anything is waited for: what ends meanwhile is not missed.
    const spent = {
      kind: 'denied',
      reason: 'budget_exceeded',
      message: `Cannot reach ${asked.host}: the budget of net_bytes is spent`,
    } as const;
    if (this.#isSpent) return spent;
    await this.#log.allow(asked);
    return this.#isSpent ? spent : { kind: 'allowed', until };
  }

  /** What was allowed was noted when it was decided. */
  note(event: EgressEvent): void {
    if (event.kind === 'denied' || event.kind === 'failed') this.#log.refuse(event);
  }

  charge({ bytesSent, bytesReceived }: EgressTraffic): void {
    this.#bytes.add(bytesSent + bytesReceived);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#log[Symbol.asyncDispose](), this.#bytes[Symbol.asyncDispose]()]);
  }

  /** What was allowed so far; what could not be recorded may be later. */
  #end(): void {
    this.#ending.abort();
    this.#ending = new AbortController();
  }
}

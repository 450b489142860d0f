/** Tells people of servers whose tools are not those that were approved: an alert of the first workspace, as long as it is so. */
import type { Alerts } from '@warren/kernel';
import { tellStanding } from '../notify/standing-alert.ts';

const ABOUT = 'mcp-server:';

export type ChangedAlertsParts = {
  readonly alerts: Pick<Alerts, 'list' | 'send' | 'acknowledge'>;
  /** What could not be told: for the log. */
  readonly say: (message: string) => void;
};

export class ChangedAlerts implements AsyncDisposable {
  readonly #parts: ChangedAlertsParts;
  #last: Promise<void> = Promise.resolve();

  constructor(parts: ChangedAlertsParts) {
    this.#parts = parts;
  }

  /** Resolves when it is told; never rejects. */
  tell(server: string, isChanged: boolean): Promise<void> {
    const { alerts, say } = this.#parts;
    const message = isChanged
      ? `The MCP server ${server} has other tools than were approved; none of them is used until somebody approves them\nlook: warren mcp-server show ${server}`
      : undefined;
    this.#last = this.#last
      .then(() => tellStanding(alerts, `${ABOUT}${server}`, message))
      .catch((error: unknown) => say(`No alert says that the MCP server ${server} changed: ${String(error)}`));
    return this.#last;
  }

  /** Takes back what waits about servers that are mounted no more: they left the file while Warren was stopped. Never rejects. */
  keepOnly(servers: readonly string[]): Promise<void> {
    const { alerts, say } = this.#parts;
    const known = new Set(servers.map((server) => `${ABOUT}${server}`));
    this.#last = this.#last
      .then(async () => {
        const { alerts: pending } = await alerts.list({ status: 'pending', agent: '' }, { limit: 1_000 });
        const found = pending.map(({ context }) => context['about']).filter((about) => typeof about === 'string');
        const gone = new Set(found.filter((about) => about.startsWith(ABOUT) && !known.has(about)));
        for (const about of gone) await tellStanding(alerts, about, undefined);
      })
      .catch((error: unknown) => say(`The alerts of MCP servers that are gone wait on: ${String(error)}`));
    return this.#last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
  }
}

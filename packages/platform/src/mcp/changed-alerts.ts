/** Tells people of servers whose tools are not those that were approved: an alert of the first workspace, as long as it is so. */
import type { Alerts } from '@warren/kernel';
import { tellStanding } from '../notify/standing-alert.ts';

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
      .then(() => tellStanding(alerts, `mcp-server:${server}`, message))
      .catch((error: unknown) => say(`No alert says that the MCP server ${server} changed: ${String(error)}`));
    return this.#last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
  }
}

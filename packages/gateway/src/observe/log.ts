/** What the daemon says about itself while it runs. Never a token, a parameter or a result: only names, numbers and times. */

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export const SILENT: Log = { info() {}, warn() {}, error() {} };

/** A line of JSON for each; `write` gets it with its line end. */
export function createJsonLog(write: (line: string) => void, now: () => Date = () => new Date()): Log {
  const say =
    (level: string) =>
    (message: string, fields: LogFields = {}): void =>
      write(`${JSON.stringify({ time: now().toISOString(), level, message, ...fields })}\n`);
  return { info: say('info'), warn: say('warn'), error: say('error') };
}

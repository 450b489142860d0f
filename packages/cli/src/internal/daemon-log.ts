/** What a daemon says while it runs, on standard error: a line of JSON each for whoever keeps it, words for whoever watches. */
import type { Host } from './host.ts';
import { safeText } from './safe-text.ts';

type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface DaemonLog {
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

export function createDaemonLog(host: Host): DaemonLog {
  const format = host.stderr.isTerminal ? formatWords : formatJson;
  const say =
    (level: string) =>
    (message: string, fields: Fields = {}): void => {
      host.stderr.write(format(new Date(host.now()), level, message, fields)).catch(() => {}); // A daemon does not end because nobody reads its log.
    };
  return { info: say('info'), warn: say('warn'), error: say('error') };
}

function formatJson(now: Date, level: string, message: string, fields: Fields): string {
  return `${JSON.stringify({ time: now.toISOString(), level, message, ...fields })}\n`;
}

function formatWords(now: Date, level: string, message: string, fields: Fields): string {
  const { stack, ...rest } = fields;
  const words = Object.entries(rest).flatMap(([name, value]) => (value === undefined ? [] : [` ${name}=${value}`]));
  const line = `${now.toISOString().slice(11, 19)} ${level === 'info' ? '' : `${level}: `}${message}${words.join('')}`;
  return `${safeText(line)}\n${stack === undefined ? '' : `${String(stack).split('\n').map(safeText).join('\n')}\n`}`;
}

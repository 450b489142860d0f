/** Notices as mail, through the SMTP server of the operator. */
import { readFile } from 'node:fs/promises';
import type { JsonValue } from '@warren/protocol';
import type { MailConfig } from '../config/config-format.ts';
import { type Notice, titleOf } from './notice.ts';
import { NoticeRefused, type Target } from './target.ts';

const TIMEOUT_MS = 20_000;
/** Whatever some program that shows mail begins a line at. */
const LINE_BREAK = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/;

export function createMailTarget(config: MailConfig): Target {
  const { name, host, port, tls, user, password_file: passwordFile, from, to, notices } = config;
  return {
    name: `mail-${name}`,
    kinds: notices,
    async deliver(notice, signal) {
      signal.throwIfAborted();
      const { createTransport } = await import('nodemailer'); // A quarter of our code: for those who send mail.
      const auth =
        user === undefined ? {} : { auth: { user, pass: passwordFile === undefined ? '' : (await readFile(passwordFile, 'utf8')).trim() } };
      const timeouts = { connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS };
      const transport = createTransport({
        ...{ host, port, secure: tls, disableFileAccess: true, disableUrlAccess: true },
        requireTLS: !tls && user !== undefined, // Whoever takes STARTTLS out of the greeting gets no password.
        ...timeouts,
        ...auth,
      });
      const close = (): void => transport.close();
      signal.addEventListener('abort', close, { once: true });
      try {
        const messageId = `<${notice.id.replace('/', '.')}@warren>`; // The same when it is sent again.
        await transport.sendMail({
          from,
          to: [...to],
          subject: titleOf(notice),
          text: textOf(notice),
          messageId,
          headers: { 'X-Warren-Notice': notice.kind },
        });
      } catch (error) {
        throw isRefusal(error) ? new NoticeRefused(`${host} refused the mail: ${(error as Error).message}`, { cause: error }) : error; // It has a code: nodemailer's.
      } finally {
        signal.removeEventListener('abort', close);
        transport.close();
      }
    },
  };
}

/** Of this mail, for good; unlike of whoever sends it. */
function isRefusal(error: unknown): boolean {
  const { code, responseCode = 0 } = error as { readonly code?: unknown; readonly responseCode?: number }; // Only asked for.
  return (code === 'EENVELOPE' || code === 'EMESSAGE') && responseCode >= 500;
}

/** What an agent wrote stands in no line that could be one of ours: its own lines after the first are marked. */
function textOf(notice: Notice): string {
  const { kind, data, workspace, at } = notice;
  const approvalId = data['approval_id'];
  const lines = [titleOf(notice), '', `Workspace: ${workspace}`, `Time: ${new Date(at).toISOString()}`];
  for (const [name, value] of Object.entries(data)) lines.push(`${plain(name)}: ${indented(value)}`);
  const isOpen = kind === 'approval.requested' || kind === 'approval.escalated';
  if (isOpen && typeof approvalId === 'string') {
    const flag = `--workspace ${workspace}`;
    lines.push(
      '',
      `warren approvals show ${approvalId} ${flag}`,
      `warren approvals approve ${approvalId} ${flag}`,
      `warren approvals reject ${approvalId} ${flag} --reason "..."`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function indented(value: JsonValue | undefined): string {
  const [first = '', ...others] = (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).split(LINE_BREAK).map(plain);
  return [first, ...others.map((line) => `    | ${line}`)].join('\n');
}

/** Without what moves the cursor or turns the direction of writing. */
function plain(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
}

/** Notices as mail, through the SMTP server of the operator. */
import { readFile } from 'node:fs/promises';
import { createTransport } from 'nodemailer';
import type { MailConfig } from '../config/config.ts';
import { type Notice, titleOf } from './notice.ts';
import type { Target } from './target.ts';

const TIMEOUT_MS = 20_000;

export function createMailTarget(config: MailConfig): Target {
  const { name, host, port, tls, user, password_file: passwordFile, from, to, notices } = config;
  return {
    name: `mail-${name}`,
    kinds: notices,
    async deliver(notice, signal) {
      signal.throwIfAborted();
      const auth =
        user === undefined ? {} : { auth: { user, pass: passwordFile === undefined ? '' : (await readFile(passwordFile, 'utf8')).trim() } };
      const timeouts = { connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS };
      const transport = createTransport({ host, port, secure: tls, disableFileAccess: true, disableUrlAccess: true, ...timeouts, ...auth });
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
      } finally {
        signal.removeEventListener('abort', close);
        transport.close();
      }
    },
  };
}

function textOf(notice: Notice): string {
  const { kind, data, workspace, at } = notice;
  const approvalId = data['approval_id'];
  const lines = [titleOf(notice), '', `Workspace: ${workspace}`, `Time: ${new Date(at).toISOString()}`];
  for (const [name, value] of Object.entries(data)) lines.push(`${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
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

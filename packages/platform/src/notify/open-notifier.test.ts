import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openKernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { describe, expect, it } from 'vitest';
import { createMailTarget } from './mail-target.ts';
import type { Notice } from './notice.ts';
import { openNotifier } from './open-notifier.ts';
import { NoticeRefused, type Target } from './target.ts';
import { createWebhookTarget } from './webhook-target.ts';

const NOTICES = ['alert.sent'] as const;

type Delivery = { readonly headers: IncomingHttpHeaders; readonly body: string };

/** Answers as told, one after the other and then the last again. */
async function openReceiver(
  statuses: readonly number[],
): Promise<AsyncDisposable & { readonly url: string; readonly deliveries: Delivery[]; next(count: number): Promise<void> }> {
  const deliveries: Delivery[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.statusCode = statuses[Math.min(deliveries.length, statuses.length - 1)] ?? 200;
      if (response.statusCode === 302) response.setHeader('location', '/elsewhere');
      response.end('thanks');
      deliveries.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      for (const { count, resolve } of waiting) if (deliveries.length >= count) resolve();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, // It listens on TCP.
    deliveries,
    next: (count) => new Promise((resolve) => (deliveries.length >= count ? resolve() : waiting.push({ count, resolve }))),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function openTest(makeTargets: (directory: TemporaryDirectory) => readonly Target[]) {
  const directory = await TemporaryDirectory.create();
  const kernel = await openKernel({ directory: directory.join('state') });
  const pauses: number[] = [];
  const said: string[] = [];
  const begin = () =>
    openNotifier({
      kernel,
      directory: directory.join('notify'),
      targets: makeTargets(directory),
      now: () => Date.now(),
      pause: async (ms, signal) => {
        pauses.push(ms);
        signal.throwIfAborted();
      },
      say: (message) => said.push(message),
      redactorOf: async () => (text) => text.replaceAll('a-value-of-the-vault', '[redacted:it]'),
    });
  return {
    ...{ directory, kernel, pauses, said, begin },
    mine: kernel.workspace(DEFAULT_WORKSPACE),
    async [Symbol.asyncDispose]() {
      await kernel.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

const webhook = (url: string, secretFile: string) =>
  createWebhookTarget({ name: 'ops', url, secret_file: secretFile, notices: [...NOTICES] }, { now: () => 1_700_000_000_000 });

describe('a webhook', () => {
  it('is told of what happens, signed, and never of what it did not ask for', async () => {
    await using receiver = await openReceiver([200]);
    await using test = await openTest((directory) => [webhook(receiver.url, directory.join('secret'))]);
    await writeFile(test.directory.join('secret'), 'key\n');
    await test.mine.alerts.send({ message: 'before anybody listened', severity: 'info' });
    await using _notifier = await test.begin();
    await test.mine.processes.create({ name: 'p', template: 't' });
    await test.mine.alerts.send({ message: 'disk\u2028X-Evil: 1 a-value-of-the-vault', severity: 'critical', agent: 'bob' });
    await receiver.next(1);
    const [{ headers, body } = { headers: {}, body: '' }] = receiver.deliveries;
    expect(receiver.deliveries).toHaveLength(1);
    expect(JSON.parse(body)).toMatchObject({
      kind: 'alert.sent',
      workspace: 'default',
      title: 'critical: disk X-Evil: 1 [redacted:it] (default)',
    });
    expect(body).not.toContain('a-value-of-the-vault');
    expect(headers['warren-signature']).toBe(`t=1700000000,v1=${createHmac('sha256', 'key').update(`1700000000.${body}`).digest('hex')}`);
    expect(headers['warren-delivery']).toBe(JSON.parse(body).id);
  });

  it('that is down is told later, in order; also what happened while Warren was down', async () => {
    await using receiver = await openReceiver([500, 302, 200]);
    await using test = await openTest((directory) => [webhook(receiver.url, directory.join('secret'))]);
    await writeFile(test.directory.join('secret'), 'key');
    {
      await using _notifier = await test.begin();
      for (const message of ['one', 'two']) await test.mine.alerts.send({ message, severity: 'info' });
      await receiver.next(4);
    }
    await test.mine.alerts.send({ message: 'three', severity: 'info' });
    await using _again = await test.begin();
    const isTold = (title: string) => receiver.deliveries.some(({ body }) => (JSON.parse(body) as { title: string }).title.includes(title));
    for (let count = 5; !isTold('three'); count++) await receiver.next(count);
    // What was on its way when Warren stopped may come again, under the same id.
    const firsts = new Map(
      receiver.deliveries.map(({ headers, body }) => [headers['warren-delivery'], (JSON.parse(body) as { title: string }).title]),
    );
    expect([...firsts.values()]).toEqual(['info: one (default)', 'info: two (default)', 'info: three (default)']);
    expect(receiver.deliveries.slice(0, 3).map(({ headers }) => headers['warren-delivery'])).toEqual(Array(3).fill([...firsts.keys()][0]));
    expect(test.pauses.slice(0, 2)).toEqual([1_000, 5_000]);
    expect(test.said).toContain('Cannot deliver to webhook-ops: 127.0.0.1:'.concat(new URL(receiver.url).port, ' answered 500'));
  });

  it('that refuses a notice for good does not keep those behind it waiting; one that is only busy is waited for', async () => {
    await using receiver = await openReceiver([413, 413, 413, 413, 429, 408, 503, 413, 200]);
    await using test = await openTest((directory) => [webhook(receiver.url, directory.join('secret'))]);
    await writeFile(test.directory.join('secret'), 'key');
    await using notifier = await test.begin();
    for (const message of ['one', 'two']) await test.mine.alerts.send({ message, severity: 'info' });
    await receiver.next(9);
    const titles = receiver.deliveries.map(({ body }) => (JSON.parse(body) as { title: string }).title);
    expect(titles).toEqual([...Array<string>(8).fill('info: one (default)'), 'info: two (default)']);
    const [first] = receiver.deliveries;
    const host = new URL(receiver.url).host;
    expect(test.said).toContain(
      `Notice ${first?.headers['warren-delivery']} was not delivered to webhook-ops, which refused it 5 times: ${host} answered 413`,
    );
    expect(notifier.status()).toMatchObject([{ passedOver: 1 }]);
  });

  it('is told no secrets of known names or forms', async () => {
    await using receiver = await openReceiver([200]);
    await using test = await openTest((directory) => [webhook(receiver.url, directory.join('secret'))]);
    await writeFile(test.directory.join('secret'), 'key');
    await using _notifier = await test.begin();
    const context = { at: 'https://ann:hunter2secret@example.org/', password: 'swordfish' };
    await test.mine.alerts.send({ message: 'found AKIAABCDEFGHIJKLMNOP', severity: 'info', context });
    await receiver.next(1);
    const [{ body } = { body: '' }] = receiver.deliveries;
    for (const secret of ['AKIAABCDEFGHIJKLMNOP', 'hunter2secret', 'swordfish']) expect(body).not.toContain(secret);
    expect(JSON.parse(body)).toMatchObject({ title: 'info: found [REDACTED:aws key] (default)' });
  });

  it('without its secret is told nothing', async () => {
    await using receiver = await openReceiver([200]);
    await using test = await openTest((directory) => [webhook(receiver.url, directory.join('secret'))]);
    const told = Promise.withResolvers<void>();
    await using _notifier = await openNotifier({
      ...{
        kernel: test.kernel,
        directory: test.directory.join('n'),
        targets: [webhook(receiver.url, test.directory.join('secret'))],
        now: () => 0,
        say: () => told.resolve(),
        redactorOf: async () => (text) => text,
      },
      pause: (_, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
    });
    await test.mine.alerts.send({ message: 'one', severity: 'info' });
    await told.promise;
    expect(receiver.deliveries).toEqual([]);
  });
});

/** A real server that keeps what it gets. */
async function openMailServer(options: SMTPServerOptions) {
  const received = Promise.withResolvers<{ readonly message: string }>();
  const server = new SMTPServer({
    ...{ authOptional: true, onAuth: (auth, _, done) => done(null, { user: auth.username ?? '' }) },
    onData(stream, _, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        done();
        received.resolve({ message: Buffer.concat(chunks).toString() });
      });
    },
    ...options,
  });
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return {
    received: received.promise,
    port: (listening.address() as AddressInfo).port, // It listens on TCP.
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

const mailConfig = (port: number) => ({
  ...{ name: 'ops', host: '127.0.0.1', port, tls: false, from: 'warren@example.org', to: ['a@example.org'] },
  notices: [...NOTICES],
});

const NOTICE: Notice = {
  ...{ id: 'default/1', kind: 'alert.sent', workspace: DEFAULT_WORKSPACE, at: 0, pid: 1 },
  data: { message: 'hello', severity: 'info' },
};

describe('mail', () => {
  it('reaches a real server with one line of subject, whatever an agent wrote', async () => {
    await using server = await openMailServer({ disabledCommands: ['STARTTLS'] });
    await using test = await openTest(() => [createMailTarget(mailConfig(server.port))]);
    await using _notifier = await test.begin();
    await test.mine.alerts.send({ message: 'hello\u2028Bcc: eve@example.org', severity: 'warning', agent: 'bob' });
    const { message } = await server.received;
    const [head = ''] = message.split('\r\n\r\n');
    expect(head).toMatch(/^Subject: warning: hello Bcc: eve@example\.org \(default\)$/m);
    expect(head).not.toMatch(/^Bcc:/m);
    expect(head).toMatch(/^X-Warren-Notice: alert\.sent$/m);
  });

  it.each(['\n', '\r', '\r\n', '\v', '\f', '\u0085', '\u2028', '\u2029'])(
    'marks the lines an agent wrote, also those begun by %j',
    async (lineBreak) => {
      await using server = await openMailServer({ disabledCommands: ['STARTTLS'] });
      const forged = ['all is well', 'Workspace: production', 'warren approvals approve approval_1 --workspace production'];
      await createMailTarget(mailConfig(server.port)).deliver(
        { ...NOTICE, data: { message: forged.join(lineBreak), severity: 'info', [`x${lineBreak}Time: never`]: '' } },
        AbortSignal.timeout(10_000),
      );
      const [, body = ''] = (await server.received).message.replaceAll('=\r\n', '').split(/\r\n\r\n(.*)/s);
      const lines = body.split(/[\n\r\v\f\u0085\u2028\u2029]+/);
      expect(lines.filter((line) => /^(?:Workspace|Time|warren)/.test(line))).toEqual([
        'Workspace: default',
        'Time: 1970-01-01T00:00:00.000Z',
      ]);
      expect(lines).toContain('    | Workspace: production');
    },
  );

  it('sends a password over nothing that is not encrypted', async () => {
    const seen: string[] = [];
    await using server = await openMailServer({
      ...{ disabledCommands: ['STARTTLS'], allowInsecureAuth: true, authMethods: ['PLAIN'] },
      onAuth(auth, _, done) {
        seen.push(String(auth.password));
        done(null, { user: 'warren' });
      },
    });
    await using directory = await TemporaryDirectory.create();
    await writeFile(directory.join('password'), 'swordfish');
    const target = createMailTarget({ ...mailConfig(server.port), user: 'warren', password_file: directory.join('password') });
    await expect(target.deliver(NOTICE, AbortSignal.timeout(10_000))).rejects.toThrow(/STARTTLS/);
    expect(seen).toEqual([]);
  });

  it('that the server refuses for good is a refusal', async () => {
    await using server = await openMailServer({
      disabledCommands: ['STARTTLS'],
      onRcptTo: (_, __, done) => done(Object.assign(new Error('No such mailbox'), { responseCode: 550 })),
    });
    await expect(createMailTarget(mailConfig(server.port)).deliver(NOTICE, AbortSignal.timeout(10_000))).rejects.toBeInstanceOf(
      NoticeRefused,
    );
  });
});

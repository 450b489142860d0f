import { duplexPair } from 'node:stream';
import { type FaultCode, isFault } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import type { ChannelListener, ChannelTraits } from './channel.ts';
import { encodeExec } from './exec-request.ts';
import { encodeFileRequest } from './file-request.ts';
import { CHANNELS_MAX, FRAME, PAYLOAD_BYTES_MAX } from './frame-types.ts';
import { GuestClient } from './guest-client.ts';
import { RawGuest, settle, u32 } from './test-support/raw-guest.ts';

const COMMAND: ChannelTraits = { isCommand: true, hasStdout: true, hasStderr: true, hasStdin: false };
const WITH_STDIN: ChannelTraits = { ...COMMAND, hasStdin: true };
const FILE: ChannelTraits = { isCommand: false, hasStdout: true, hasStderr: false, hasStdin: false };

/** Writes down what it is told. */
class Witness implements ChannelListener {
  readonly told: string[] = [];
  lostWith: unknown;

  started(pid: number): void {
    this.told.push(`started ${pid}`);
  }
  output(stream: string, bytes: Buffer): void {
    this.told.push(`${stream} ${bytes.length > 20 ? bytes.length : bytes}`);
  }
  outputEnded(stream: string): void {
    this.told.push(`${stream} ended`);
  }
  exited(exit: { readonly kind: string }): void {
    this.told.push(exit.kind);
  }
  lost(fault: unknown): void {
    this.told.push('lost');
    this.lostWith = fault;
  }
}

function open(raw: RawGuest, traits: ChannelTraits = COMMAND) {
  const witness = new Witness();
  const frame = traits.isCommand ? encodeExec({ argv: ['x'] }) : encodeFileRequest({ kind: 'read', path: '/x' });
  return { witness, channel: raw.client.open(frame, traits, witness) };
}

async function codeOf(promise: Promise<unknown>): Promise<FaultCode | 'none'> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    if (isFault(error)) return error.code;
    throw error;
  }
}

describe('GuestClient', () => {
  it('tells a channel what comes, in order, until all three ends are there', async () => {
    const raw = new RawGuest();
    const { witness, channel } = open(raw);
    raw.started(channel.number, 42);
    raw.send(FRAME.STDERR, channel.number, 'err');
    raw.send(FRAME.STDOUT, channel.number, 'out');
    raw.exit(channel.number, { kind: 'exited', code: 3 });
    raw.send(FRAME.STDOUT, channel.number, 'late');
    raw.send(FRAME.STDOUT, channel.number);
    await settle();
    expect(raw.client.channelsOpen).toBe(1);
    raw.send(FRAME.STDERR, channel.number);
    await settle();
    expect(witness.told).toEqual(['started 42', 'stderr err', 'stdout out', 'exited', 'stdout late', 'stdout ended', 'stderr ended']);
    expect(raw.client.channelsOpen).toBe(0);
  });

  it.each([
    [['exit', 'out', 'err']],
    [['exit', 'err', 'out']],
    [['out', 'exit', 'err']],
    [['err', 'exit', 'out']],
    [['out', 'err', 'exit']],
    [['err', 'out', 'exit']],
  ])('takes the ends in the order %j, and then uses the number again', async (order) => {
    const raw = new RawGuest();
    const { channel } = open(raw);
    raw.started(channel.number);
    for (const end of order) {
      expect(raw.client.channelsOpen).toBe(1);
      if (end === 'exit') raw.exit(channel.number);
      else raw.send(end === 'out' ? FRAME.STDOUT : FRAME.STDERR, channel.number);
      await settle();
    }
    expect(raw.client.channelsOpen).toBe(0);
    expect(open(raw).channel.number).toBe(channel.number);
  });

  it('sends a request in one write, on the number it picked', async () => {
    const [host, guest] = duplexPair();
    const chunks: Buffer[] = [];
    guest.on('data', (chunk: Buffer) => chunks.push(chunk));
    const client = new GuestClient(host);
    const request = encodeExec({ argv: ['true'] });
    client.open(request, COMMAND, new Witness());
    await settle();
    expect(chunks).toEqual([request]);
    expect(request.readUInt32LE(8)).toBe(1);
  });

  it('opens 1,024 channels and no more', async () => {
    const raw = new RawGuest();
    const opened = Array.from({ length: CHANNELS_MAX }, () => open(raw));
    expect(new Set(opened.map(({ channel }) => channel.number)).size).toBe(CHANNELS_MAX);
    expect(() => open(raw)).toThrow(/1024/);
    expect(() => open(raw)).toThrow(/1024/);
    const last = opened.at(-1)?.channel.number ?? 0;
    expect(last).toBe(CHANNELS_MAX);
    raw.started(last);
    raw.exit(last);
    raw.ends(last);
    await settle();
    expect(open(raw).channel.number).toBe(last);
    expect(raw.client.channelsOpen).toBe(CHANNELS_MAX);
  });

  it('refuses more requests when the guest does not read', async () => {
    const [host] = duplexPair(); // Nobody reads at the other end.
    const client = new GuestClient(host);
    const request = (): Buffer => encodeExec({ argv: ['x'.repeat(1_000_000)] });
    const openMany = (): void => {
      for (let count = 0; count < 20; count++) client.open(request(), COMMAND, new Witness());
    };
    expect(openMany).toThrow(/not read/);
    expect(host.writableLength).toBeLessThan(10_000_000);
  });

  it('answers to its pings, and to no others', async () => {
    const raw = new RawGuest();
    const pings = [raw.client.ping(), raw.client.ping()];
    for (const { payload } of await raw.takeType(FRAME.PING)) raw.send(FRAME.PONG, 0, payload);
    await Promise.all(pings);
    const third = raw.client.ping();
    raw.send(FRAME.PONG, 0, 'x');
    expect(await codeOf(third)).toBe('protocol_error');
    expect(await codeOf(raw.client.ping())).toBe('protocol_error');
  });

  it('sends at most 64 pings at once', async () => {
    const raw = new RawGuest();
    const pings = Array.from({ length: 64 }, () => raw.client.ping());
    expect(await codeOf(raw.client.ping())).toBe('busy');
    raw.connection.destroy();
    for (const ping of pings) expect(await codeOf(ping)).toBe('sandbox_gone');
  });

  it('sends a signal to every command, and to everything', async () => {
    const raw = new RawGuest();
    const commands = [open(raw), open(raw)];
    open(raw, FILE);
    await raw.take();
    raw.client.signalCommands(15);
    raw.client.signalEverything(19);
    const sent = await raw.take();
    expect(sent.map(({ type, channel, payload }) => [type, channel, ...payload])).toEqual([
      ...commands.map(({ channel }) => [FRAME.SIGNAL, channel.number, 15, 0]),
      [FRAME.SIGNAL, 0, 19, 0],
    ]);
  });
});

describe('The start of a guest connection', () => {
  it('is over when the guest is ready', async () => {
    const raw = new RawGuest({}, false);
    const { witness, channel } = open(raw); // Requests need not wait.
    raw.send(FRAME.READY, 0);
    raw.started(channel.number);
    await raw.client.ready;
    await settle();
    expect(witness.told).toEqual(['started 7']);
  });

  it('fails with the wall that is missing', async () => {
    const raw = new RawGuest({}, false);
    const { witness } = open(raw);
    raw.send(FRAME.FAILED, 0, JSON.stringify({ stage: 'mounts', call: 'mount', path: '/x', errno: 1, error: 'EPERM' }));
    raw.connection.end();
    await expect(raw.client.ready).rejects.toMatchObject({ code: 'wall_unavailable', details: { stage: 'mounts', errno: 'EPERM' } });
    await settle();
    expect(witness.told).toEqual(['lost']);
    expect(isFault(await raw.client.closed, 'wall_unavailable')).toBe(true);
  });

  it('fails for good, whatever comes behind', async () => {
    const raw = new RawGuest({}, false);
    raw.connection.cork();
    raw.send(FRAME.FAILED, 0, JSON.stringify({ stage: 'mounts', call: '', path: '', errno: 1 }));
    raw.send(FRAME.READY, 0);
    raw.connection.uncork();
    expect(await codeOf(raw.client.ready)).toBe('wall_unavailable');
    await settle();
    expect(raw.client.isClosed).toBe(true);
  });

  it.each<[string, (raw: RawGuest) => void, FaultCode]>([
    ['nonsense in FAILED', (raw) => raw.send(FRAME.FAILED, 0, '{'), 'protocol_error'],
    ['READY on a channel', (raw) => raw.send(FRAME.READY, 1), 'protocol_error'],
    ['output before READY', (raw) => raw.send(FRAME.STDOUT, 0), 'protocol_error'],
    ['PONG before READY', (raw) => raw.send(FRAME.PONG, 0), 'protocol_error'],
    ['the end of the connection', (raw) => raw.connection.end(), 'sandbox_gone'],
    ['an error of the connection', (raw) => raw.connection.destroy(), 'sandbox_gone'],
  ])('fails with %s', async (_, act, code) => {
    const raw = new RawGuest({}, false);
    act(raw);
    expect(await codeOf(raw.client.ready)).toBe(code);
  });
});

describe('A guest that breaks the protocol', () => {
  type Act = (raw: RawGuest, channel: number) => void;
  const VIOLATIONS: readonly (readonly [string, ChannelTraits, Act])[] = [
    ['an unknown channel', COMMAND, (raw, channel) => raw.send(FRAME.STDOUT, channel + 2, 'x')],
    ['channel 0', COMMAND, (raw) => raw.send(FRAME.STDOUT, 0, 'x')],
    ['a channel beyond all', COMMAND, (raw) => raw.send(FRAME.EXIT, 0xffff_ffff, Buffer.alloc(32))],
    ['a second READY', COMMAND, (raw) => raw.send(FRAME.READY, 0)],
    ['FAILED after READY', COMMAND, (raw) => raw.send(FRAME.FAILED, 0, '{}')],
    ['a second STARTED', COMMAND, (raw, channel) => [raw.started(channel), raw.started(channel)]],
    ['STARTED with pid 0', COMMAND, (raw, channel) => raw.started(channel, 0)],
    ['STARTED with a pid that cannot be', COMMAND, (raw, channel) => raw.started(channel, 5_000_000)],
    ['STARTED for a file', FILE, (raw, channel) => raw.started(channel)],
    ['output before STARTED', COMMAND, (raw, channel) => raw.send(FRAME.STDOUT, channel, 'x')],
    ['EXIT before STARTED', COMMAND, (raw, channel) => raw.exit(channel)],
    [
      'an EXIT that ended what was left, unasked',
      COMMAND,
      (raw, channel) => [raw.started(channel), raw.exit(channel, { kind: 'exited', code: 0, leftovers: 1 })],
    ],
    ['a second EXIT', COMMAND, (raw, channel) => [raw.started(channel), raw.exit(channel), raw.exit(channel)]],
    [
      'STARTED after EXIT',
      COMMAND,
      (raw, channel) => [raw.exit(channel, { kind: 'failed', stage: 'exec', call: 'x', path: '', errno: 2 }), raw.started(channel)],
    ],
    ['output after its end', COMMAND, (raw, channel) => [raw.started(channel), raw.ends(channel), raw.send(FRAME.STDOUT, channel, 'x')]],
    ['a second end', COMMAND, (raw, channel) => [raw.started(channel), raw.ends(channel), raw.send(FRAME.STDERR, channel)]],
    [
      'something after the channel has closed',
      COMMAND,
      (raw, channel) => [raw.started(channel), raw.exit(channel), raw.ends(channel), raw.send(FRAME.STDOUT, channel)],
    ],
    [
      'stderr on a terminal',
      { ...COMMAND, hasStderr: false },
      (raw, channel) => [raw.started(channel), raw.send(FRAME.STDERR, channel, 'x')],
    ],
    ['stderr of a file', FILE, (raw, channel) => raw.send(FRAME.STDERR, channel, 'x')],
    ['stdout of a write', { ...FILE, hasStdout: false }, (raw, channel) => raw.send(FRAME.STDOUT, channel, 'x')],
    ['credit for a stdin that is not there', COMMAND, (raw, channel) => raw.send(FRAME.CREDIT, channel, u32(1))],
    [
      'more credit than there can be',
      WITH_STDIN,
      (raw, channel) => [raw.send(FRAME.CREDIT, channel, u32(0xffff_ffff)), raw.send(FRAME.CREDIT, channel, u32(1))],
    ],
    [
      'one byte more than the window',
      { ...COMMAND, windowBytes: 1_000 },
      (raw, channel) => [raw.started(channel), raw.send(FRAME.STDOUT, channel, Buffer.alloc(1_001))],
    ],
    [
      'one byte more than the window, in pieces',
      { ...COMMAND, windowBytes: 1_000 },
      (raw, channel) => [
        raw.started(channel),
        raw.send(FRAME.STDERR, channel, Buffer.alloc(999)),
        raw.send(FRAME.STDERR, channel, Buffer.alloc(2)),
      ],
    ],
    ['an EXIT that makes no sense', COMMAND, (raw, channel) => raw.send(FRAME.EXIT, channel, Buffer.alloc(40, 9))],
    ['a type that does not exist', COMMAND, (raw, channel) => raw.send(0x7f, channel)],
    ['a request', COMMAND, (raw, channel) => raw.send(FRAME.EXEC, channel, 'x')],
  ];

  it.each(VIOLATIONS)('with %s loses its connection and everything on it', async (_, traits, act) => {
    const raw = new RawGuest();
    await raw.client.ready;
    const { witness, channel } = open(raw, traits);
    const other = open(raw);
    const ping = raw.client.ping();
    await settle();
    act(raw, channel.number);
    expect(isFault(await raw.client.closed, 'protocol_error')).toBe(true);
    expect(other.witness.told).toEqual(['lost']);
    expect(isFault(other.witness.lostWith, 'protocol_error')).toBe(true);
    if (!witness.told.includes('exited')) expect(witness.told.at(-1)).toBe('lost');
    expect(await codeOf(ping)).toBe('protocol_error');
    expect(() => open(raw)).toThrow(expect.objectContaining({ code: 'protocol_error' }));
    await settle();
    channel.signal(9, 'tree'); // Nothing happens, and nothing throws.
    channel.grant('stdout', 1_000_000);
  });

  it('hears nothing of what came behind', async () => {
    const raw = new RawGuest();
    await raw.client.ready;
    const { witness, channel } = open(raw);
    raw.connection.cork();
    raw.started(channel.number);
    raw.started(channel.number);
    raw.exit(channel.number);
    raw.connection.uncork();
    await raw.client.closed;
    expect(witness.told).toEqual(['started 7', 'lost']);
  });
});

describe('A guest connection that ends', () => {
  it('loses what is open, and only that', async () => {
    const raw = new RawGuest();
    const done = open(raw);
    raw.started(done.channel.number);
    raw.exit(done.channel.number);
    raw.ends(done.channel.number);
    await settle();
    const { witness } = open(raw);
    raw.connection.end();
    expect(isFault(await raw.client.closed, 'sandbox_gone')).toBe(true);
    expect(done.witness.told.at(-1)).toBe('stderr ended');
    expect(witness.told).toEqual(['lost']);
    expect(() => open(raw)).toThrow(expect.objectContaining({ code: 'sandbox_gone' }));
    expect(await codeOf(raw.client.ping())).toBe('sandbox_gone');
  });

  it('is no protocol error in the middle of a frame', async () => {
    const raw = new RawGuest();
    await raw.client.ready;
    raw.connection.write(Buffer.from([5, 0, 0, 0, FRAME.STDOUT, 0, 0]));
    raw.connection.end();
    expect(isFault(await raw.client.closed, 'sandbox_gone')).toBe(true);
  });

  it('keeps its first reason, however often it is destroyed', async () => {
    const raw = new RawGuest();
    const { witness } = open(raw);
    raw.guest.end({ by: 'destroyed', detail: 'first' });
    raw.guest.end({ by: 'deadline', detail: 'second' });
    raw.connection.end();
    expect((await raw.client.closed).message).toContain('first');
    await settle();
    expect(witness.told).toEqual(['lost']);
  });
});

describe('Windows', () => {
  const windowBytes = 1_000;

  it('are granted again in halves as bytes are consumed', async () => {
    const raw = new RawGuest();
    const { channel } = open(raw, { ...COMMAND, windowBytes });
    raw.started(channel.number);
    raw.send(FRAME.STDOUT, channel.number, Buffer.alloc(1_000));
    await raw.take();
    channel.grant('stdout', 499);
    expect(await raw.take()).toEqual([]);
    channel.grant('stdout', 1);
    channel.grant('stdout', 499);
    channel.grant('stderr', 10);
    const grants = await raw.take();
    expect(grants.map(({ type, payload }) => [type, payload.readUInt32LE(0), payload.readUInt32LE(4)])).toEqual([[FRAME.WINDOW, 1, 500]]);
    raw.send(FRAME.STDOUT, channel.number, Buffer.alloc(500));
    await settle();
    expect(raw.client.isClosed).toBe(false);
    raw.send(FRAME.STDOUT, channel.number, Buffer.alloc(1));
    await settle();
    expect(isFault(await raw.client.closed, 'protocol_error')).toBe(true);
  });

  it('are not granted for a stream that has ended', async () => {
    const raw = new RawGuest();
    const { channel } = open(raw, { ...COMMAND, windowBytes });
    raw.started(channel.number);
    raw.send(FRAME.STDOUT, channel.number, Buffer.alloc(1_000));
    raw.send(FRAME.STDOUT, channel.number);
    await raw.take();
    channel.grant('stdout', 1_000);
    expect(await raw.take()).toEqual([]);
  });

  it('wait while the guest does not read, so that grants do not pile up', async () => {
    const [host, guest] = duplexPair();
    const client = new GuestClient(host);
    guest.write(Buffer.from([0, 0, 0, 0, FRAME.READY, 0, 0, 0, 0, 0, 0, 0]));
    await client.ready;
    const channel = client.open(encodeExec({ argv: ['x'.repeat(200_000)] }), { ...WITH_STDIN, windowBytes: 1_000 }, new Witness());
    expect(client.isFull()).toBe(true);
    const before = host.writableLength;
    for (let count = 0; count < 1_000; count++) channel.grant('stdout', 1_000);
    const write = channel.input?.write(Buffer.alloc(10));
    expect(host.writableLength).toBe(before);
    let seen = Buffer.alloc(0);
    guest.on('data', (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]);
    });
    await write;
    await settle();
    const after = seen.subarray(12 + seen.readUInt32LE(0));
    expect([after[4], after.readUInt32LE(16)]).toEqual([FRAME.WINDOW, 1_000_000]);
    expect(after[20 + 4]).toBe(FRAME.STDIN);
  });
});

describe('Stdin', () => {
  it('sends within the credit, and goes on when there is more', async () => {
    const raw = new RawGuest();
    const { channel } = open(raw, WITH_STDIN);
    const bytes = Buffer.alloc(100_000, 'abc');
    let isDone = false;
    const write = channel.input?.write(bytes).then(() => {
      isDone = true;
    });
    const next = channel.input?.write(Buffer.from('next'));
    channel.input?.close();
    const first = await raw.takeType(FRAME.STDIN);
    expect(first.map(({ payload }) => payload.length)).toEqual([65_536]);
    expect(isDone).toBe(false);
    raw.send(FRAME.CREDIT, channel.number, u32(34_000));
    const second = await raw.takeType(FRAME.STDIN);
    expect(second.map(({ payload }) => payload.length)).toEqual([34_000]);
    raw.send(FRAME.CREDIT, channel.number, u32(1_000_000));
    const third = await raw.takeType(FRAME.STDIN);
    expect(third.map(({ payload }) => payload.length)).toEqual([464, 4, 0]);
    await Promise.all([write, next]);
    expect(
      Buffer.concat([...first, ...second, ...third].map(({ payload }) => payload)).equals(Buffer.concat([bytes, Buffer.from('next')])),
    ).toBe(true);
    expect(await codeOf(channel.input?.write(Buffer.from('x')) ?? Promise.resolve())).toBe('conflict');
  });

  it('cuts into frames of at most 64 KiB, and never ends by an empty write', async () => {
    const raw = new RawGuest();
    const { channel } = open(raw, WITH_STDIN);
    raw.send(FRAME.CREDIT, channel.number, u32(1_000_000));
    await raw.take();
    await channel.input?.write(Buffer.alloc(0));
    await channel.input?.write(Buffer.alloc(200_000));
    const lengths = (await raw.take()).map(({ payload }) => payload.length);
    expect(lengths).toEqual([PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MAX, 200_000 - 3 * PAYLOAD_BYTES_MAX]);
  });

  it('does not keep what the writer changes later', async () => {
    const raw = new RawGuest();
    const { channel } = open(raw, WITH_STDIN);
    const bytes = Buffer.from('before');
    await channel.input?.write(bytes);
    bytes.fill('x');
    expect((await raw.takeType(FRAME.STDIN))[0]?.payload.toString()).toBe('before');
  });

  it('rejects what waits when the command ends, and when the sandbox does', async () => {
    const raw = new RawGuest();
    const one = open(raw, WITH_STDIN).channel;
    const other = open(raw, WITH_STDIN).channel;
    const writes = [one, other].map((channel) => channel.input?.write(Buffer.alloc(70_000)) ?? Promise.resolve());
    raw.started(one.number);
    raw.exit(one.number);
    expect(await codeOf(writes[0] ?? Promise.resolve())).toBe('conflict');
    raw.connection.end();
    expect(await codeOf(writes[1] ?? Promise.resolve())).toBe('sandbox_gone');
  });
});

/** A DNS server on loopback, over UDP and TCP, that says what a test tells it to: also what no honest server says. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, isIPv4, type Server, type Socket } from 'node:net';

const TYPES = { A: 1, CNAME: 5, AAAA: 28 } as const;
type QueryType = keyof typeof TYPES;
const CODES = { ok: 0, formerr: 1, servfail: 2, nxdomain: 3, refused: 5 } as const;

export type DnsRecord = { readonly name?: string; readonly type: QueryType; readonly value: string; readonly ttl?: number };
export type DnsAnswer =
  | { readonly kind: 'records'; readonly records: readonly DnsRecord[]; readonly code?: keyof typeof CODES }
  /** Over UDP only that the answer is too long for it; over TCP the records. */
  | { readonly kind: 'truncated'; readonly records: readonly DnsRecord[] }
  | { readonly kind: 'garbage'; readonly bytes: Uint8Array }
  /** Of a question that was not asked. */
  | { readonly kind: 'wrong_id'; readonly records: readonly DnsRecord[] }
  | { readonly kind: 'silence' };

export type DnsQuery = { readonly name: string; readonly type: QueryType; readonly transport: 'udp' | 'tcp' };
/** `asked` counts the questions of this name and type, from 1. */
export type DnsZone = Readonly<Record<string, (query: DnsQuery, asked: number) => DnsAnswer>>;

/** Answers with these addresses, those of the type that was asked for. */
export function addresses(...values: readonly string[]): (query: DnsQuery) => DnsAnswer {
  return ({ type }) => ({ kind: 'records', records: recordsOf(type, values) });
}

export function recordsOf(type: QueryType, values: readonly string[], ttl = 60): readonly DnsRecord[] {
  return values.filter((value) => (type === 'A') === isIPv4(value)).map((value) => ({ type, value, ttl }));
}

export class DnsServer implements AsyncDisposable {
  /** As `dns.setServers` takes it. */
  readonly address: string;
  readonly queries: DnsQuery[] = [];
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #connections = new Set<Socket>();
  readonly #asked = new Map<string, number>();
  readonly #zone: DnsZone;

  private constructor(udp: UdpSocket, tcp: Server, zone: DnsZone) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.#zone = zone;
    this.address = `127.0.0.1:${udp.address().port}`;
    udp.on('message', (message, peer) => {
      const reply = this.#answer(message, 'udp');
      if (reply !== undefined) udp.send(reply, peer.port, peer.address);
    });
    tcp.on('connection', (connection) => {
      this.#connections.add(connection);
      connection.on('error', () => {}); // A resolver that gave up is no failure of the server.
      let unread = Buffer.alloc(0);
      connection.on('data', (chunk) => {
        unread = Buffer.concat([unread, chunk]);
        while (unread.length >= 2 && unread.length >= 2 + unread.readUInt16BE(0)) {
          const end = 2 + unread.readUInt16BE(0);
          const reply = this.#answer(unread.subarray(2, end), 'tcp');
          unread = unread.subarray(end);
          if (reply !== undefined) connection.write(Buffer.concat([uint16(reply.length), reply]));
        }
      });
    });
  }

  /** Names that the zone does not have do not exist. */
  static async start(zone: DnsZone): Promise<DnsServer> {
    for (;;) {
      const udp = createSocket('udp4');
      udp.bind(0, '127.0.0.1');
      await once(udp, 'listening');
      const tcp = createServer();
      tcp.listen(udp.address().port, '127.0.0.1');
      if (await listens(tcp)) return new DnsServer(udp, tcp, zone);
      udp.close(); // Somebody else has the port over TCP: take another one.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    await Promise.all([
      new Promise((resolve) => this.#udp.close(() => resolve(undefined))),
      new Promise((resolve) => this.#tcp.close(resolve)),
    ]);
  }

  #answer(message: Buffer, transport: 'udp' | 'tcp'): Buffer | undefined {
    const { id, name, type, question } = readQuestion(message);
    if (type === undefined) return encode(id, question, [], 'formerr', false);
    const query: DnsQuery = { name, type, transport };
    this.queries.push(query);
    const key = `${name} ${type}`;
    const asked = (this.#asked.get(key) ?? 0) + 1;
    this.#asked.set(key, asked);
    const answer = this.#zone[name]?.(query, asked) ?? { kind: 'records', records: [], code: 'nxdomain' as const };
    switch (answer.kind) {
      case 'records':
        return encode(id, question, withNames(answer.records, name), answer.code ?? 'ok', false);
      case 'truncated':
        return encode(id, question, transport === 'udp' ? [] : withNames(answer.records, name), 'ok', transport === 'udp');
      case 'wrong_id':
        return encode(id ^ 0xffff, question, withNames(answer.records, name), 'ok', false);
      case 'garbage':
        return Buffer.from(answer.bytes);
      case 'silence':
        return undefined;
      default:
        return answer satisfies never;
    }
  }
}

async function listens(server: Server): Promise<boolean> {
  const outcome = await Promise.race([once(server, 'listening').then(() => true), once(server, 'error').then(() => false)]);
  return outcome && (server.address() as AddressInfo).port > 0; // It listens, so it has an address.
}

function withNames(records: readonly DnsRecord[], name: string): readonly Required<DnsRecord>[] {
  return records.map((record) => ({ name, ttl: 0, ...record }));
}

function readQuestion(message: Buffer): { id: number; name: string; type: QueryType | undefined; question: Buffer } {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0 && at < message.length; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const code = message.readUInt16BE(at + 1);
  const type = (Object.keys(TYPES) as QueryType[]).find((each) => TYPES[each] === code); // Its keys are these.
  return { id: message.readUInt16BE(0), name: labels.join('.').toLowerCase(), type, question: message.subarray(12, at + 5) };
}

function encode(
  id: number,
  question: Buffer,
  records: readonly Required<DnsRecord>[],
  code: keyof typeof CODES,
  isTruncated: boolean,
): Buffer {
  const flags = 0x8180 | (isTruncated ? 0x0200 : 0) | CODES[code];
  const header = Buffer.concat([uint16(id), uint16(flags), uint16(1), uint16(records.length), uint16(0), uint16(0)]);
  const body = records.map(({ name, type, value, ttl }) => {
    const data = dataOf(type, value);
    return Buffer.concat([
      nameBytes(name),
      uint16(TYPES[type]),
      uint16(1),
      uint16(ttl >>> 16),
      uint16(ttl & 0xffff),
      uint16(data.length),
      data,
    ]);
  });
  return Buffer.concat([header, question, ...body]);
}

function dataOf(type: QueryType, value: string): Buffer {
  if (type === 'CNAME') return nameBytes(value);
  if (type === 'A') return Buffer.from(value.split('.').map(Number));
  const full = new URL(`http://[${value}]/`).hostname.slice(1, -1);
  const [head = '', tail] = full.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const all = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  return Buffer.concat(all.map((group) => uint16(Number.parseInt(group, 16))));
}

function nameBytes(name: string): Buffer {
  return Buffer.concat([
    ...name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value & 0xffff);
  return bytes;
}

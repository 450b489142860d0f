/**
 * A launcher for tests of the host's side: speaks the launcher's protocol over real sockets and builds nothing. What it does with a sandbox is the
 * first word of its spec; what it does by itself is its last argument. It writes down what happened in the file that is its first own argument.
 */
import { appendFileSync } from 'node:fs';
import { createServer, Socket } from 'node:net';

const [serve, controlFlag, controlFd, logFile = '', behaviour] = process.argv.slice(2);
const HELLO = 0x40;
const DESTROY = 0x41;
const GONE = 0x42;
const REFUSED = 0x43;
const PLACED = 0x45;
const SPEC = 0x01;
const FILTER = 0x02;
const PING = 0x15;
const READY = 0x80;
const FAILED = 0x81;
const PONG = 0x95;
const FAILURE = JSON.stringify({ stage: 'mount', call: 'move_mount', path: '/x', errno: 13, error: 'EACCES' });

function log(line: string): void {
  appendFileSync(logFile, `${line}\n`);
}

function frame(type: number, channel: number, payload: string | Uint8Array = ''): Buffer {
  const bytes = Buffer.from(payload);
  const header = Buffer.alloc(12);
  header.writeUInt32LE(bytes.length, 0);
  header[4] = type;
  header.writeUInt32LE(channel, 8);
  return Buffer.concat([header, bytes]);
}

function onFrames(socket: Socket, receive: (type: number, channel: number, payload: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 12 && rest.length >= 12 + rest.readUInt32LE(0)) {
      const length = rest.readUInt32LE(0);
      receive(rest.readUInt8(4), rest.readUInt32LE(8), rest.subarray(12, 12 + length));
      rest = rest.subarray(12 + length);
    }
  });
  socket.on('error', () => {});
}

const environment = Object.keys(process.env).filter((name) => !['PWD', '_', 'SHLVL', 'OLDPWD'].includes(name)); // The shell's own.
log(`started ${[serve, controlFlag, controlFd].join(' ')} env=${environment} cwd=${process.cwd()}`);
if (behaviour === 'die-at-once') {
  process.stderr.write(`${'noise '.repeat(100_000)}\n`, () => process.exit(7));
} else {
  const control = new Socket({ fd: Number(controlFd) });
  const sandboxes = new Map<number, Socket>();

  const gone = (id: number): void => {
    const socket = sandboxes.get(id);
    if (socket === undefined) return;
    socket.destroy();
    sandboxes.delete(id);
    log(`gone ${id}`);
    const payload = Buffer.alloc(32);
    payload[0] = 1;
    payload.writeInt32LE(9, 4);
    payload.writeBigUInt64LE(1_500n, 8);
    control.write(frame(GONE, id, Buffer.concat([payload, Buffer.from('report one\0report two\0')])));
  };

  const build = (socket: Socket, id: number, spec: Buffer): void => {
    const [how] = spec.toString().split('\0');
    log(`spec ${id} ${how} ${spec.length}`);
    if (how === 'refuse') {
      control.write(frame(REFUSED, id, FAILURE));
      socket.destroy();
      return;
    }
    if (how === 'drop') {
      socket.destroy();
      return;
    }
    if (how === 'die') {
      process.stderr.write('the launcher dies of this', () => process.exit(3));
      return;
    }
    sandboxes.set(id, socket);
    control.write(frame(PLACED, id, Buffer.from([id, 0, 0, 0])));
    socket.on('close', () => {
      if (how !== 'stays') gone(id);
    });
    if (how === 'fail') socket.end(frame(FAILED, 0, FAILURE));
    else if (how === 'silent') log(`silent ${id}`);
    else if (how === 'nonsense') socket.write(Buffer.alloc(100, 255));
    else socket.write(frame(READY, 0));
    if (how === 'stays') setTimeout(() => socket.write(Buffer.alloc(12, 255)), 20);
    if (how === 'ends') setTimeout(() => gone(id), 30);
    if (how === 'lingers') {
      setTimeout(() => {
        sandboxes.delete(id);
        control.write(frame(GONE, id));
      }, 30);
    }
  };

  const server = createServer((socket) => {
    let spec: Buffer = Buffer.alloc(0);
    onFrames(socket, (type, channel, payload) => {
      if (type === SPEC) spec = Buffer.from(payload);
      else if (type === FILTER) setTimeout(() => build(socket, channel, spec), behaviour === 'slow' ? 100 : 0);
      else if (type === PING) socket.write(frame(PONG, channel, payload));
    });
  });
  server.listen({ path: `\0fake-launcher-${process.pid}` }, () => {
    if (behaviour === 'says-nothing') return;
    if (behaviour === 'other-version') control.write(frame(HELLO, 0, '99\0name'));
    else if (behaviour === 'nonsense') control.write(Buffer.alloc(100, 255));
    else control.write(frame(HELLO, 0, `1\0fake-launcher-${process.pid}\x003`));
  });
  onFrames(control, (type, id) => {
    if (type !== DESTROY) return;
    log(`destroy ${id}`);
    if (sandboxes.has(id)) gone(id);
    else control.write(frame(GONE, id));
  });
  control.on('close', () => {
    log('left');
    if (behaviour !== 'stays') process.exit(0);
  });
  if (behaviour === 'stays') setInterval(() => {}, 1_000);
}

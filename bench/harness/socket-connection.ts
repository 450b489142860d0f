/** A WebSocket at `/rpc` with many calls under way: the least a client can do, so that what is measured is the daemon. */
import { once } from 'node:events';
import { WebSocket } from 'ws';

export class SocketConnection {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<string>>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const text = String(data);
      const id = Number(/"id":(\d+)/.exec(text)?.[1]);
      this.#waiting.get(id)?.resolve(text);
      this.#waiting.delete(id);
    });
    socket.on('close', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`The daemon closed the WebSocket with ${code}`));
    });
  }

  static async open(port: number, token: string): Promise<SocketConnection> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/rpc`, { headers: { authorization: `Bearer ${token}` }, perMessageDeflate: false });
    await once(socket, 'open');
    return new SocketConnection(socket);
  }

  /** The answer as it came. */
  async call(method: string, params: object): Promise<string> {
    const id = ++this.#lastId;
    const answered = Promise.withResolvers<string>();
    this.#waiting.set(id, answered);
    this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return await answered.promise;
  }

  close(): void {
    this.#socket.terminate();
  }
}

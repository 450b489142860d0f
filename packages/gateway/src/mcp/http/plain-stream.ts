/** Events without numbers: who loses the connection makes the request anew. */
import type { ServerResponse } from 'node:http';
import type { ReplyStream } from './http-reply.ts';

export function createPlainStream(response: ServerResponse): ReplyStream {
  return {
    send(text, { mayDrop }) {
      if (response.destroyed || response.writableEnded || (mayDrop && response.writableNeedDrain)) return false;
      response.write(`data: ${text}\n\n`);
      return true;
    },
    end: () => void response.end(),
  };
}

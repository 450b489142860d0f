/** The official server of MCP with one tool that answers what it is given, in a process of its own. Says its port on standard output, and ends with its input. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

type Server = {
  registerTool(
    name: string,
    definition: object,
    run: (args: { readonly text: string }) => { readonly content: readonly object[]; readonly structuredContent: object },
  ): void;
};
/** As much of the library as is used. By name, for its types are many and large. */
type Library = {
  readonly McpServer: new (info: object) => Server;
  readonly createMcpHandler: (factory: () => Server) => { fetch(request: Request, options: object): Promise<Response> };
};

const LIBRARY = '@modelcontextprotocol/server';
const { McpServer, createMcpHandler } = (await import(LIBRARY)) as Library; // By its documentation.
const { z } = await import('zod');

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'comparator', version: '1.0.0' });
  const definition = {
    description: 'Answers the text it is given',
    inputSchema: z.object({ text: z.string() }),
    outputSchema: z.object({ text: z.string(), len: z.number() }),
  };
  server.registerTool('system__echo', definition, ({ text }) => {
    const output = { text, len: text.length };
    return { content: [{ type: 'text', text: JSON.stringify(output) }], structuredContent: output };
  });
  return server;
});

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', async () => {
    const body = Buffer.concat(chunks);
    const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)] as [string, string]);
    const answer = await handler.fetch(new Request('http://localhost/mcp', { method: 'POST', headers, body }), {
      parsedBody: JSON.parse(body.toString('utf8')),
    });
    const text = await answer.text();
    response.writeHead(answer.status, { ...Object.fromEntries(answer.headers), 'content-length': Buffer.byteLength(text) }).end(text);
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
console.log((server.address() as AddressInfo).port);
process.stdin.resume().on('end', () => process.exit(0));

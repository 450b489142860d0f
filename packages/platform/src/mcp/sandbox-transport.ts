/**
 * A server of MCP that is a program: started in a sandbox of its own, with what the operator mounts, no network and nothing of the host. It speaks in lines of JSON over its standard
 * streams; the sandbox lives as long as the connection. What it prints on its error stream is kept, a little of it, for the operator.
 */
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import type { Execution, Exit, Sandbox } from '@warren/sandbox';
import { cleanText } from './clean-text.ts';
import { MCP_LIMITS } from './mcp-limits.ts';

export type Program = {
  readonly argv: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>>;
};

const NEWLINE = 0x0a;

/** Owns the sandbox from the moment it is made. */
export class SandboxTransport implements Transport {
  onclose: (() => void) | undefined;
  onerror: ((error: Error) => void) | undefined;
  onmessage: Transport['onmessage'];
  /** By these the library tells a program from a server of HTTP. */
  readonly pid = null;
  readonly stderr = null;
  readonly #sandbox: Sandbox;
  readonly #program: Program;
  #execution: Execution | undefined;
  #errorText = '';
  #unsentBytes = 0;
  #garbageLines = 0;
  #closing: Promise<void> | undefined;

  constructor(sandbox: Sandbox, program: Program) {
    this.#sandbox = sandbox;
    this.#program = program;
  }

  /** The end of what it printed on its error stream, cleaned. */
  get errorText(): string {
    return cleanText(this.#errorText, MCP_LIMITS.errorTextLengthMax);
  }

  async start(): Promise<void> {
    const { argv, cwd, env } = this.#program;
    const execution = this.#sandbox.exec(argv, { stdin: 'pipe', env, ...(cwd !== undefined && { cwd }) });
    this.#execution = execution;
    void this.#readErrors(execution);
    void this.#readMessages(execution).catch((error: unknown) => this.#fail(error));
    execution.exit.catch(() => {}); // Whoever reads its output is told.
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
    if (this.#execution === undefined || this.#closing !== undefined) throw new Error('the server has ended');
    if (bytes.byteLength > MCP_LIMITS.messageBytesMax) throw new Error(`the message has more than ${MCP_LIMITS.messageBytesMax} bytes`);
    if (this.#unsentBytes + bytes.byteLength > MCP_LIMITS.unsentBytesMax) {
      this.#fail(new Error('it does not read what it is sent'));
      throw new Error('the server does not read what it is sent');
    }
    this.#unsentBytes += bytes.byteLength;
    try {
      await this.#execution.write(bytes);
    } finally {
      this.#unsentBytes -= bytes.byteLength;
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#execution?.closeStdin();
    await this.#sandbox[Symbol.asyncDispose]();
    this.onclose?.();
  }

  #fail(error: unknown): void {
    if (this.#closing !== undefined) return;
    this.onerror?.(error instanceof Error ? error : new Error(String(error)));
    void this.close();
  }

  /** Until it ends, or prints what is no message once too often. */
  async #readMessages(execution: Execution): Promise<void> {
    let parts: Uint8Array[] = [];
    let held = 0;
    for await (const chunk of execution.stdout) {
      let from = 0;
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
        this.#take(Buffer.concat([...parts, chunk.subarray(from, end)]));
        parts = [];
        held = 0;
        from = end + 1;
      }
      if (from < chunk.byteLength) parts.push(chunk.slice(from));
      held += chunk.byteLength - from;
      if (held > MCP_LIMITS.messageBytesMax) throw new Error(`it prints a line of more than ${MCP_LIMITS.messageBytesMax} bytes`);
    }
    this.#fail(new Error(howItEnded(await execution.exit)));
  }

  #take(line: Buffer): void {
    if (this.#closing !== undefined || line.length === 0 || (line.length === 1 && line[0] === 0x0d)) return;
    const message = messageOf(line);
    if (message === undefined) this.#garbageLines += 1;
    else this.onmessage?.(message);
    if (this.#garbageLines > MCP_LIMITS.garbageLinesMax)
      throw new Error(`it prints more than ${MCP_LIMITS.garbageLinesMax} lines on its standard output that are no messages`);
  }

  async #readErrors({ stderr }: Execution): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of stderr)
        this.#errorText = (this.#errorText + decoder.decode(chunk, { stream: true })).slice(-MCP_LIMITS.errorTextLengthMax);
    } catch {
      // Its standard output ends with it, and says so.
    }
  }
}

function howItEnded(exit: Exit): string {
  switch (exit.kind) {
    case 'exited':
      return `it ended with code ${exit.code}`;
    case 'signalled':
      return `it ended by ${exit.signal}`;
    case 'stopped':
      return `it was stopped: ${exit.detail}`;
    case 'not_started':
      return exit.code === 127 ? 'its program is not there' : 'its program cannot be started';
    default:
      return exit satisfies never;
  }
}

function messageOf(line: Buffer): JSONRPCMessage | undefined {
  try {
    const said: unknown = JSON.parse(line.toString('utf8'));
    const isMessage = typeof said === 'object' && said !== null && 'jsonrpc' in said && said.jsonrpc === '2.0';
    return isMessage ? (said as JSONRPCMessage) : undefined; // The library looks at the rest.
  } catch {
    return undefined; // What is no JSON is no message.
  }
}

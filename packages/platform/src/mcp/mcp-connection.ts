/** One connection to one server: what Warren asks of it, and the bounds on what it may answer. */
import type { CallToolResult } from '@modelcontextprotocol/client';
import type { JsonObject } from '@warren/protocol';
import type { ForeignTool, ToolList } from './tool-list.ts';

export interface McpConnection extends AsyncDisposable {
  /** Whether it is over, by either side. */
  readonly isClosed: boolean;
  /** Called when the server says that its tools changed, and once when the connection ends. */
  onChanged: () => void;
  onClosed: () => void;
  /** Why it ended, in words for the operator. */
  readonly reason: string;
  /** What it has now. Faults as `readToolList`; what the protocol or the transport throws. */
  list(signal: AbortSignal): Promise<ToolList>;
  /** `signal` cancels it at the server too. */
  call(tool: ForeignTool, input: JsonObject, options: CallOptions): Promise<CallToolResult>;
}

export type CallOptions = {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly onProgress: (message: string, share: number | undefined) => void;
};

import { cleanText as clean } from '../internal/clean-text.ts';
import { MCP_LIMITS } from './mcp-limits.ts';

/** What a server says, as people and models are shown it. */
export function cleanText(text: string, lengthMax: number = MCP_LIMITS.textLengthMax): string {
  return clean(text, lengthMax);
}

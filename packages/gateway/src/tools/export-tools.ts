import type { JsonObject } from '@warren/protocol';
import type { ToolFormat } from '@warren/protocol/contract';
import { UnfitSchema } from './plain-schema.ts';
import { TOOL_FORMATS, type Tool } from './tool-formats.ts';

/** `capability`: undefined for a tool that is none. */
export type OfferedTool = { readonly capability: string | undefined; readonly tool: Tool };

export type ExportedTools = {
  readonly tools: readonly JsonObject[];
  readonly names: readonly { readonly name: string; readonly capability: string | undefined }[];
  readonly leftOut: readonly { readonly capability: string; readonly reason: string }[];
};

/** In the order given. What a vendor would refuse is left out and said, so that it does not refuse the rest with it. */
export function exportTools(format: ToolFormat, offered: readonly OfferedTool[]): ExportedTools {
  const shape = TOOL_FORMATS[format];
  const functions: JsonObject[] = [];
  const names: { name: string; capability: string | undefined }[] = [];
  const leftOut: { capability: string; reason: string }[] = [];
  for (const { tool, capability } of offered) {
    const made = functions.length < shape.functionsMax ? tryShape(shape.function, tool) : `a request takes ${shape.functionsMax} functions`;
    if (typeof made === 'string') {
      leftOut.push({ capability: capability ?? tool.name, reason: made });
      continue;
    }
    functions.push(made);
    names.push({ name: tool.name, capability });
  }
  return { tools: shape.tools(functions), names, leftOut };
}

function tryShape(shape: (tool: Tool) => JsonObject, tool: Tool): JsonObject | string {
  try {
    return shape(tool);
  } catch (error) {
    if (error instanceof UnfitSchema) return error.message;
    throw error;
  }
}

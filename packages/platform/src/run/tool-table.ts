/** What a model may ask for, by the names it knows, of what the gate offers to a process. */
import type { Answer, Gate } from '@warren/kernel';
import { Fault, type JsonObject, suggest, type WorkspaceId } from '@warren/protocol';
import { toolDescription } from '../capability/describe-capability.ts';
import type { Registry } from '../capability/registry.ts';
import { toolName } from '../capability/tool-name.ts';
import type { ModelTool } from '../model/model.ts';
import { CODING_TOOLS, type NamedTool } from './coding-tools.ts';
import type { SaidContent } from './run-step.ts';

/** Sets of tools that an agent is given by name; each only as far as it may call what they stand for. `all` is everything else that there is, by its own name. */
export const TOOLSETS = ['coding', 'memory', 'web', 'git', 'skills', 'mail', 'mcp', 'all'] as const;
export type Toolset = (typeof TOOLSETS)[number];

export type TableTool = ModelTool & Pick<NamedTool, 'capability' | 'toInput' | 'toText'>;

/** A result is shortened in the middle from here on. */
const RESULT_CHARACTERS_MAX = 100_000;

/** Faults: `invalid_argument` (names what was meant). */
export function checkToolsets(names: readonly string[]): readonly Toolset[] {
  return names.map((name) => {
    const found = TOOLSETS.find((each) => each === name);
    if (found !== undefined) return found;
    const meant = suggest(name, TOOLSETS);
    throw new Fault(
      'invalid_argument',
      `Cannot use toolset ${JSON.stringify(name)}: there is none of this name${meant === undefined ? '' : `; did you mean ${meant}?`} (there are ${TOOLSETS.join(', ')})`,
      { details: { field: 'toolsets' } },
    );
  });
}

export class ToolTable {
  readonly #tools: ReadonlyMap<string, TableTool>;

  private constructor(tools: ReadonlyMap<string, TableTool>) {
    this.#tools = tools;
  }

  static async read(
    platform: { readonly gate: Pick<Gate, 'offered'>; readonly capabilities: Registry },
    workspace: WorkspaceId,
    pid: number,
    toolsets: readonly Toolset[],
  ): Promise<ToolTable> {
    const offered = (await platform.gate.offered(workspace, pid)).map(({ name }) => name);
    const tools = new Map<string, TableTool>();
    if (toolsets.includes('coding')) for (const tool of CODING_TOOLS) if (offered.includes(tool.capability)) tools.set(tool.name, tool);
    for (const capability of offered) {
      if (!toolsets.some((toolset) => isIn(toolset, capability))) continue;
      const definition = platform.capabilities.findDefinition(capability);
      if (definition === undefined) continue; // It was taken away just now.
      const name = toolName(capability);
      tools.set(name, {
        ...{ name, capability, description: toolDescription(definition), inputSchema: definition.inputSchema },
        ...{ toInput: (asked: JsonObject) => asked, toText: (output: JsonObject) => JSON.stringify(output) },
      });
    }
    return new ToolTable(tools);
  }

  /** For the model. */
  get list(): readonly ModelTool[] {
    return [...this.#tools.values()].map(({ name, description, inputSchema }) => ({ name, description, inputSchema }));
  }

  find(name: string): TableTool | undefined {
    return this.#tools.get(name);
  }

  /** What to say to a model that asks for a tool there is not. */
  noSuchTool(name: string): string {
    const meant = suggest(name, this.#tools.keys());
    return `There is no tool ${JSON.stringify(name.slice(0, 100))}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
  }
}

function isIn(toolset: Toolset, capability: string): boolean {
  const category = capability.slice(0, capability.indexOf('.'));
  switch (toolset) {
    case 'coding':
      return false;
    case 'memory':
      return category === 'memory';
    case 'web':
      return category === 'network';
    case 'git':
      return category === 'git';
    case 'skills':
      return category === 'skill';
    case 'mail':
      return category === 'comms';
    case 'mcp':
      return category === 'mcp';
    case 'all':
      return true;
    default:
      return toolset satisfies never;
  }
}

/** What the model is told of what came of its call. */
export function contentOf(answer: Answer & { readonly kind: 'done' | 'failed' }, tool: TableTool, asked: JsonObject): SaidContent {
  const text = answer.kind === 'done' ? tool.toText(answer.output, asked) : failureText(answer.error);
  return [{ type: 'text', text: shorten(text.replaceAll('\0', '\ufffd').toWellFormed()) }];
}

function failureText({ type, agentMessage }: (Answer & { readonly kind: 'failed' })['error']): string {
  return `${type}: ${agentMessage}`;
}

function shorten(text: string): string {
  if (text.length <= RESULT_CHARACTERS_MAX) return text;
  const half = RESULT_CHARACTERS_MAX / 2;
  const left = text.length - RESULT_CHARACTERS_MAX;
  return `${text.slice(0, half)}\n… [${left} characters left out] …\n${text.slice(-half)}`.toWellFormed();
}

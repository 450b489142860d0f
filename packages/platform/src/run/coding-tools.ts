/** The tools that models were trained on: each stands for one capability, with the words that coding agents use for it, and answers in text rather than JSON. */
import type { JsonObject, JsonValue } from '@warren/protocol';

export type NamedTool = {
  readonly name: string;
  readonly capability: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
  /** What the model wrote is not checked before: the gate validates what comes of it. */
  readonly toInput: (asked: JsonObject) => JsonObject;
  readonly toText: (output: JsonObject, asked: JsonObject) => string;
};

const TEXT = { type: 'string' };
const WHOLE = { type: 'integer', minimum: 1 };
const OUTPUT_LINES = 2_000;
const LINES_SHOWN = 2_000;

export const CODING_TOOLS: readonly NamedTool[] = [
  {
    name: 'read',
    capability: 'filesystem.read',
    description: 'Reads a text file. Long files are read in parts, by offset (the first line, from 1) and limit (how many lines).',
    inputSchema: schema({ path: TEXT, offset: WHOLE, limit: WHOLE }, ['path']),
    toInput: ({ path = null }) => ({ path }),
    toText: showLines,
  },
  {
    name: 'write',
    capability: 'filesystem.write',
    description: 'Writes a file, new or instead of what was there. Directories that are missing are made.',
    inputSchema: schema({ path: TEXT, content: TEXT }, ['path', 'content']),
    toInput: ({ path = null, content = null }) => ({ path, content, create_parents: true }),
    toText: ({ path, size }) => `Wrote ${String(size)} bytes to ${String(path)}`,
  },
  {
    name: 'edit',
    capability: 'code.edit',
    description: 'Replaces a text in a file. old_string has to be there exactly once, with its blanks, unless replace_all is true.',
    inputSchema: schema({ path: TEXT, old_string: TEXT, new_string: TEXT, replace_all: { type: 'boolean' } }, [
      'path',
      'old_string',
      'new_string',
    ]),
    toInput: (asked) => pick(asked, ['path', 'old_string', 'new_string', 'replace_all']),
    toText: (output) =>
      output['outcome'] === 'applied' ? `Changed ${String(output['path'])} in ${String(output['replacements'])} places` : json(output),
  },
  {
    name: 'bash',
    capability: 'process.run',
    description: 'Runs a command with bash in the sandbox and gives what it printed. timeout is in seconds (default 300).',
    inputSchema: schema({ command: TEXT, timeout: WHOLE }, ['command']),
    toInput: ({ command = null, ...rest }) => ({
      ...{ command: 'bash', args: ['-c', command], stdout_lines: OUTPUT_LINES },
      ...pick(rest, ['timeout']),
    }),
    toText: showCommand,
  },
  {
    name: 'grep',
    capability: 'code.grep',
    description: 'Finds lines that match a regular expression, in files below path that match glob.',
    inputSchema: schema({ pattern: TEXT, path: TEXT, glob: TEXT, ignore_case: { type: 'boolean' }, max_results: WHOLE }, ['pattern']),
    toInput: (asked) => pick(asked, ['pattern', 'path', 'glob', 'ignore_case', 'max_results']),
    toText: ({ matches = [], truncated }) =>
      listed(
        objects(matches).map(({ path, line, text }) => `${String(path)}:${String(line)}: ${String(text)}`),
        truncated,
      ),
  },
  {
    name: 'find',
    capability: 'code.glob',
    description: 'Finds files below path whose names match a glob, as **/*.ts.',
    inputSchema: schema({ pattern: TEXT, path: TEXT }, ['pattern']),
    toInput: (asked) => pick(asked, ['pattern', 'path']),
    toText: ({ matches = [], truncated }) => listed(Array.isArray(matches) ? matches.map(String) : [], truncated),
  },
  {
    name: 'ls',
    capability: 'filesystem.list',
    description: 'Lists a directory, hidden names too. Directories end in a slash.',
    inputSchema: schema({ path: TEXT }, []),
    toInput: ({ path = '/workspace' }) => ({ path, include_hidden: true }),
    toText: ({ entries = [], truncated }) =>
      listed(
        objects(entries).map(({ name, type }) => `${String(name)}${type === 'directory' ? '/' : ''}`),
        truncated,
      ),
  },
];

function schema(properties: JsonObject, required: readonly string[]): JsonObject {
  return { type: 'object', properties, required: [...required], additionalProperties: false };
}

function pick(asked: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.filter((name) => Object.hasOwn(asked, name)).map((name) => [name, asked[name] as JsonValue])); // It is there.
}

function objects(value: JsonValue): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'object' && each !== null && !Array.isArray(each)) : [];
}

function listed(lines: readonly string[], truncated: JsonValue | undefined): string {
  if (lines.length === 0) return 'Nothing was found';
  return truncated === true ? `${lines.join('\n')}\n… there are more` : lines.join('\n');
}

function showLines({ content, truncated }: JsonObject, { offset, limit }: JsonObject): string {
  const lines = String(content).split('\n');
  if (lines.at(-1) === '') lines.pop();
  const from = typeof offset === 'number' && offset > 1 ? Math.floor(offset) - 1 : 0;
  const count = typeof limit === 'number' && limit >= 1 ? Math.floor(limit) : LINES_SHOWN;
  const shown = lines.slice(from, from + count);
  const more = from + count < lines.length || truncated === true;
  return `${shown.join('\n')}${more ? `\n… there is more, from line ${from + shown.length + 1} on` : ''}`;
}

function showCommand({ exit_code, state, stdout_summary, stderr_summary, timeout }: JsonObject): string {
  const parts = [stdout_summary, stderr_summary].filter((part) => typeof part === 'string' && part !== '').map(String);
  if (state === 'timed_out') parts.push(`[stopped after ${String(timeout)} seconds]`);
  else if (exit_code !== 0) parts.push(`[exit code ${String(exit_code)}]`);
  return parts.length === 0 ? '[nothing was printed]' : parts.join('\n');
}

function json(value: JsonValue): string {
  return JSON.stringify(value);
}

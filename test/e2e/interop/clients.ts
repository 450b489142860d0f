/** The programs that are tried, and what a user of each would do. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Where a program is tried: nothing in it is anybody's. */
export type Home = { readonly home: string; readonly project: string };
export type Command = { readonly words: readonly string[]; readonly env?: Readonly<Record<string, string>> };

export type InteropClient = {
  readonly name: 'claude-code' | 'codex' | 'gemini' | 'opencode';
  /** Exact versions. Their install scripts do not run; what these would fetch is in the list. */
  readonly packages: readonly string[];
  /** Below what is installed. */
  readonly program: string;
  /** Does with what `warren agent connect` prints what it says beside it. A command that is returned is for a shell. */
  readonly place: (printed: string, home: Home) => Promise<string | undefined>;
  readonly list: Command;
  /** What its list says of a server that it has reached; undefined for one that lists without connecting. */
  readonly connected: RegExp | undefined;
  /** One turn without anybody to ask, with its model at this address. */
  readonly ask: (modelUrl: string, home: Home) => Promise<Command>;
};

const PROMPT = 'Write the file';

async function put(path: string, text: string): Promise<undefined> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

export const INTEROP_CLIENTS: readonly InteropClient[] = [
  {
    name: 'claude-code',
    packages: ['@anthropic-ai/claude-code@2.1.330', `@anthropic-ai/claude-code-linux-${process.arch}@2.1.330`],
    program: `@anthropic-ai/claude-code-linux-${process.arch}/claude`,
    place: async (printed) => printed,
    list: { words: ['mcp', 'list'] },
    connected: /warren: .* Connected/,
    ask: async (modelUrl) => ({
      words: ['-p', PROMPT, '--allowedTools', 'mcp__warren__filesystem__write'],
      env: { ANTHROPIC_BASE_URL: modelUrl, ANTHROPIC_API_KEY: 'none', CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' },
    }),
  },
  {
    name: 'codex',
    packages: ['@openai/codex@0.169.0'],
    program: '.bin/codex',
    place: async (printed, { home }) => await put(join(home, '.codex/config.toml'), printed),
    list: { words: ['mcp', 'list'] },
    connected: undefined,
    ask: async (modelUrl) => ({
      words: [
        ...['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', '-c', 'model_provider=stand_in', '-c'],
        ...[`model_providers.stand_in={name="stand-in",base_url="${modelUrl}/v1",wire_api="responses"}`, '-m', 'stand-in', PROMPT],
      ],
    }),
  },
  {
    name: 'gemini',
    packages: ['@google/gemini-cli@0.61.0'],
    program: '.bin/gemini',
    place: async (printed, { home }) => await put(join(home, '.gemini/settings.json'), printed),
    list: { words: ['mcp', 'list'], env: { GEMINI_CLI_TRUST_WORKSPACE: 'true' } },
    connected: /warren: .* Connected/,
    ask: async (modelUrl, { project }) => {
      await put(join(project, '.gemini/settings.json'), '{"security":{"auth":{"selectedType":"gemini-api-key"}}}');
      const env = { GOOGLE_GEMINI_BASE_URL: modelUrl, GEMINI_API_KEY: 'none', GEMINI_CLI_TRUST_WORKSPACE: 'true' };
      return { words: ['--yolo', '--model', 'gemini-2.5-flash', '--prompt', PROMPT], env };
    },
  },
  {
    name: 'opencode',
    packages: ['opencode-ai@1.18.33', `opencode-linux-${process.arch}@1.18.33`],
    program: `opencode-linux-${process.arch}/bin/opencode`,
    place: async (printed, { project }) => await put(join(project, 'opencode.json'), printed),
    list: { words: ['mcp', 'list'] },
    connected: /warren[^\n]*connected/,
    ask: async (modelUrl) => {
      const provider = { anthropic: { options: { baseURL: `${modelUrl}/v1`, apiKey: 'none' } } };
      const env = { OPENCODE_CONFIG_CONTENT: JSON.stringify({ provider }), OPENCODE_DISABLE_MODELS_FETCH: '1' };
      return { words: ['run', '--model', 'anthropic/claude-sonnet-4-5', PROMPT], env };
    },
  },
];

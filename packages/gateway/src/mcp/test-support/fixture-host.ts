/** What the official conformance suite expects to find behind a server: tools, resources and prompts with names and contents of its choosing. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject, JsonValue } from '@warren/protocol';
import { isObject } from '../../internal/is-object.ts';
import { showsForms } from '../engine/capabilities.ts';
import { invalidParams, missingCapability } from '../engine/mcp-error.ts';
import type { HostChange, HostRequest, McpHost, McpPrompts, McpResources, McpTools, Outcome, Page, Question } from '../host.ts';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const WAV = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';

type Act = (args: JsonObject, request: HostRequest, host: FixtureHost) => Outcome | Promise<Outcome>;
type Fixture = { readonly description: string; readonly inputSchema?: JsonObject; readonly act: Act };

const image: JsonObject = { type: 'image', data: PNG, mimeType: 'image/png' };

function text(value: string): JsonObject {
  return { type: 'text', text: value };
}

function done(...content: readonly JsonObject[]): Outcome {
  return { kind: 'done', result: { content } };
}

function form(message: string, properties: JsonObject, required: readonly string[]): Question {
  return { method: 'elicitation/create', params: { message, requestedSchema: { type: 'object', properties, required } } };
}

function sampling(prompt: string): Question {
  return {
    method: 'sampling/createMessage',
    params: { messages: [{ role: 'user', content: text(prompt) }], maxTokens: 100 },
  };
}

const ROOTS: Question = { method: 'roots/list', params: {} };

/** What stands at a path of names, if it is a text. */
function textAt(value: JsonValue | undefined, ...path: readonly string[]): string {
  let found = value;
  for (const name of path) found = isObject(found) ? found[name] : undefined;
  return typeof found === 'string' ? found : '';
}

/** Asks, and says what was answered. */
function asking(question: (args: JsonObject) => Question, say: (answer: JsonObject) => string): Act {
  return (args, { answers }) => {
    const answer = answers?.['answer'];
    return isObject(answer) ? done(text(say(answer))) : { kind: 'ask', questions: { answer: question(args) } };
  };
}

function sayElicited(answer: JsonObject): string {
  return `User response: action=${textAt(answer, 'action')}, content=${JSON.stringify(answer['content'] ?? {})}`;
}

function stage(request: HostRequest): JsonObject {
  return isObject(request.state) ? request.state : {};
}

const NAME = { user_name: form('What is your name?', { name: { type: 'string' } }, ['name']) };
const CONFIRM = { confirm: form('Please confirm', { ok: { type: 'boolean' } }, ['ok']) };

const CHOICES = [
  { const: 'value1', title: 'First' },
  { const: 'value2', title: 'Second' },
  { const: 'value3', title: 'Third' },
];
const OPTIONS = ['option1', 'option2', 'option3'];

const TOOLS: Readonly<Record<string, Fixture>> = {
  test_simple_text: { description: 'A text', act: () => done(text('This is a simple text response for testing.')) },
  test_image_content: { description: 'An image', act: () => done(image) },
  test_audio_content: { description: 'A sound', act: () => done({ type: 'audio', data: WAV, mimeType: 'audio/wav' }) },
  test_embedded_resource: {
    description: 'A resource',
    act: () =>
      done({
        type: 'resource',
        resource: { uri: 'test://embedded-resource', mimeType: 'text/plain', text: 'This is an embedded resource content.' },
      }),
  },
  test_multiple_content_types: {
    description: 'A text, an image and a resource',
    act: () =>
      done(text('Multiple content types test:'), image, {
        type: 'resource',
        resource: { uri: 'test://mixed-content-resource', mimeType: 'application/json', text: '{"test":"data","value":123}' },
      }),
  },
  test_tool_with_logging: {
    description: 'Logs while it works',
    act: async (_, request) => {
      for (const line of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
        request.log('info', line);
        await sleep(20);
      }
      return done(text('Tool with logging executed successfully'));
    },
  },
  test_tool_with_progress: {
    description: 'Tells how far it is',
    act: async (_, request) => {
      for (const step of [0, 50, 100]) {
        request.progress(step, 100, `Completed step ${step} of 100`);
        await sleep(20);
      }
      return done(text(String(request.meta['progressToken'] ?? 0)));
    },
  },
  test_error_handling: {
    description: 'Fails',
    act: () => ({ kind: 'done', result: { content: [text('This tool intentionally returns an error for testing')], isError: true } }),
  },
  test_reconnection: { description: 'Does nothing', act: () => done(text('Reconnection test completed successfully')) },
  test_sampling: {
    description: 'Asks the model of the client',
    inputSchema: { type: 'object', properties: { prompt: { type: 'string' } }, required: ['prompt'] },
    act: asking(
      ({ prompt }) => sampling(String(prompt)),
      (answer) => `LLM response: ${textAt(answer, 'content', 'text')}`,
    ),
  },
  test_elicitation: {
    description: 'Asks whoever uses the client',
    inputSchema: { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] },
    act: asking(
      ({ message }) => form(String(message), { response: { type: 'string', description: 'Response' } }, ['response']),
      sayElicited,
    ),
  },
  test_elicitation_sep1034_defaults: {
    description: 'Asks with defaults',
    act: asking(
      () =>
        form(
          'Please review',
          {
            name: { type: 'string', description: 'Name', default: 'John Doe' },
            age: { type: 'integer', description: 'Age', default: 30 },
            score: { type: 'number', description: 'Score', default: 95.5 },
            status: { type: 'string', description: 'Status', enum: ['active', 'inactive', 'pending'], default: 'active' },
            verified: { type: 'boolean', description: 'Verified', default: true },
          },
          [],
        ),
      sayElicited,
    ),
  },
  test_elicitation_sep1330_enums: {
    description: 'Asks for choices',
    act: asking(
      () =>
        form(
          'Please select',
          {
            untitledSingle: { type: 'string', enum: OPTIONS },
            titledSingle: { type: 'string', oneOf: CHOICES },
            legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
            untitledMulti: { type: 'array', minItems: 1, maxItems: 3, items: { type: 'string', enum: OPTIONS } },
            titledMulti: { type: 'array', minItems: 1, maxItems: 3, items: { anyOf: CHOICES } },
          },
          [],
        ),
      sayElicited,
    ),
  },
  json_schema_2020_12_tool: {
    description: 'Has a schema with all there is',
    inputSchema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: {
        address: { $anchor: 'addressDef', type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } },
      },
      properties: {
        name: { type: 'string' },
        address: { $ref: '#/$defs/address' },
        contactMethod: { type: 'string', enum: ['phone', 'email'] },
        phone: { type: 'string' },
        email: { type: 'string' },
      },
      allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
      if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
      // biome-ignore lint/suspicious/noThenProperty: It is a word of JSON Schema.
      then: { required: ['phone'] },
      else: { required: ['email'] },
      additionalProperties: false,
    },
    act: (args) => done(text(JSON.stringify(args))),
  },
  test_x_mcp_header: {
    description: 'Has a parameter that stands in a header',
    inputSchema: {
      type: 'object',
      properties: {
        region: { type: 'string', 'x-mcp-header': 'Region' },
        count: { type: 'integer', 'x-mcp-header': 'Count' },
        dry: { type: 'boolean', 'x-mcp-header': 'Dry' },
      },
    },
    act: ({ region }) => done(text(`Region ${String(region)}`)),
  },
  test_missing_capability: {
    description: 'Needs sampling',
    act: (_, { client }) => {
      if (!isObject(client['sampling'])) throw missingCapability('Cannot run: the client has no sampling', { sampling: {} });
      return done(text('Success'));
    },
  },
  test_input_required_result_elicitation: {
    description: 'Asks for a name',
    act: (_, { answers }) => {
      const name = textAt(answers, 'user_name', 'content', 'name');
      return name === '' ? { kind: 'ask', questions: NAME } : done(text(`Hello, ${name}!`));
    },
  },
  test_input_required_result_sampling: {
    description: 'Asks the model of the client',
    act: (_, { answers }) =>
      isObject(answers?.['sample_request'])
        ? done(text(`Sampling result: ${textAt(answers, 'sample_request', 'content', 'text')}`))
        : { kind: 'ask', questions: { sample_request: sampling('What is the capital of France?') } },
  },
  test_input_required_result_list_roots: {
    description: 'Asks for roots',
    act: (_, { answers }) =>
      isObject(answers?.['roots_request'])
        ? done(text(`Roots: ${JSON.stringify(answers['roots_request']['roots'])}`))
        : { kind: 'ask', questions: { roots_request: ROOTS } },
  },
  test_input_required_result_request_state: {
    description: 'Keeps a state',
    act: (_, request) =>
      stage(request)['kind'] === 'request-state' && isObject(request.answers?.['confirm'])
        ? done(text('state-ok: requestState validated'))
        : { kind: 'ask', questions: CONFIRM, state: { kind: 'request-state' } },
  },
  test_input_required_result_multiple_inputs: {
    description: 'Asks for three things',
    act: (_, { answers }) =>
      ['user_name', 'greeting', 'client_roots'].every((name) => isObject(answers?.[name]))
        ? done(text(`${textAt(answers, 'greeting', 'content', 'text')} ${textAt(answers, 'user_name', 'content', 'name')}`))
        : {
            kind: 'ask',
            questions: { ...NAME, greeting: sampling('Generate a greeting'), client_roots: ROOTS },
            state: { kind: 'multiple' },
          },
  },
  test_input_required_result_multi_round: {
    description: 'Asks twice',
    act: (_, request) => {
      const { round, name } = stage(request);
      const { answers } = request;
      if (round === 1 && isObject(answers?.['step1'])) {
        const state = { round: 2, name: textAt(answers, 'step1', 'content', 'name') };
        return { kind: 'ask', questions: { step2: form('Which colour?', { color: { type: 'string' } }, ['color']) }, state };
      }
      if (round === 2 && isObject(answers?.['step2'])) {
        return done(text(`${String(name)} likes ${textAt(answers, 'step2', 'content', 'color')}`));
      }
      return { kind: 'ask', questions: { step1: form('What is your name?', { name: { type: 'string' } }, ['name']) }, state: { round: 1 } };
    },
  },
  test_input_required_result_tampered_state: {
    description: 'Keeps a state that nobody may change',
    act: (_, request) =>
      isObject(request.answers?.['confirm']) && stage(request)['kind'] === 'sealed'
        ? done(text('integrity-ok: state verified'))
        : { kind: 'ask', questions: CONFIRM, state: { kind: 'sealed' } },
  },
  test_input_required_result_capabilities: {
    description: 'Asks only what the client can do',
    act: (_, { client, answers }) => {
      if (answers !== undefined) return done(text(`received ${Object.keys(answers).join(',')}`));
      const questions = {
        ...(showsForms(client) && { elicit_input: form('A value', { value: { type: 'string' } }, ['value']) }),
        ...(isObject(client['sampling']) && { sample_input: sampling('A sample') }),
      };
      return Object.keys(questions).length === 0 ? done(text('nothing can be asked')) : { kind: 'ask', questions, state: { kind: 'some' } };
    },
  },
  test_streaming_elicitation: {
    description: 'Streams',
    act: (_, request) => {
      request.progress(50, 100);
      return done(text('Streaming complete'));
    },
  },
  test_logging_tool: {
    description: 'Logs',
    act: (_, request) => {
      request.log('info', 'A line');
      return done(text('Logging evaluated'));
    },
  },
  test_trigger_tool_change: {
    description: 'Changes the list of tools',
    act: (_, __, host) => {
      host.change({ kind: 'tools' });
      return done(text('Changed'));
    },
  },
  test_trigger_prompt_change: {
    description: 'Changes the list of prompts',
    act: (_, __, host) => {
      host.change({ kind: 'prompts' });
      return done(text('Changed'));
    },
  },
};

const RESOURCES: Readonly<Record<string, JsonObject>> = {
  'test://static-text': { mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
  'test://static-binary': { mimeType: 'image/png', blob: PNG },
  'test://watched-resource': { mimeType: 'text/plain', text: 'Watched resource content' },
};

function said(...content: readonly JsonObject[]): Outcome {
  return { kind: 'done', result: { messages: content.map((part) => ({ role: 'user', content: part })) } };
}

function argument(name: string): JsonObject {
  return { name, description: `Argument ${name}`, required: true };
}

type PromptFixture = { readonly args?: readonly string[]; readonly get: (args: JsonObject, request: HostRequest) => Outcome };

const PROMPTS: Readonly<Record<string, PromptFixture>> = {
  test_simple_prompt: { get: () => said(text('This is a simple prompt for testing.')) },
  test_prompt_with_arguments: {
    args: ['arg1', 'arg2'],
    get: ({ arg1, arg2 }) => said(text(`Prompt with arguments: arg1='${String(arg1)}', arg2='${String(arg2)}'`)),
  },
  test_prompt_with_embedded_resource: {
    args: ['resourceUri'],
    get: ({ resourceUri }) =>
      said(
        {
          type: 'resource',
          resource: { uri: String(resourceUri), mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
        },
        text('Please process the embedded resource above.'),
      ),
  },
  test_prompt_with_image: { get: () => said(image, text('Please analyze the image above.')) },
  test_input_required_result_prompt: {
    get: (_, { answers }) => {
      const context = textAt(answers, 'user_context', 'content', 'context');
      if (context !== '') return said(text(`Prompt with context: ${context}`));
      const question = form('What context should the prompt use?', { context: { type: 'string' } }, ['context']);
      return { kind: 'ask', questions: { user_context: question } };
    },
  },
};

export type FixtureOptions = {
  /** Tools in addition. */
  readonly tools?: Readonly<Record<string, Fixture>>;
  readonly pageSize?: number;
};

export class FixtureHost implements McpHost {
  readonly server = { name: 'fixture', version: '1.0.0' };
  readonly instructions = 'For tests';
  readonly logs = true;
  readonly tools: McpTools;
  readonly resources: McpResources;
  readonly prompts: McpPrompts;
  readonly complete = async (): Promise<JsonObject> => ({ completion: { values: [], total: 0, hasMore: false } });
  readonly #listeners = new Set<(change: HostChange) => void>();

  constructor({ tools: more = {}, pageSize = 100 }: FixtureOptions = {}) {
    const tools: Readonly<Record<string, Fixture>> = { ...TOOLS, ...more };
    const schemaOf = (name: string): JsonObject => tools[name]?.inputSchema ?? { type: 'object', properties: {} };
    this.tools = {
      list: async (cursor) =>
        page(
          Object.entries(tools).map(([name, { description }]) => ({ name, description, inputSchema: schemaOf(name) })),
          cursor,
          pageSize,
        ),
      call: async (name, args, request) => {
        const tool = Object.hasOwn(tools, name) ? tools[name] : undefined;
        if (tool === undefined) throw invalidParams(`Cannot call ${name}: there is no such tool`);
        return await tool.act(args, request, this);
      },
      headersOf: (name) => (Object.hasOwn(tools, name) ? schemaOf(name) : undefined),
    };
    this.resources = {
      canSubscribe: true,
      tellsOfList: true,
      list: async (cursor) =>
        page(
          Object.entries(RESOURCES).map(([uri, { mimeType }]) => ({ uri, name: uri, mimeType: mimeType ?? null })),
          cursor,
          pageSize,
        ),
      listTemplates: async () => ({
        items: [{ uriTemplate: 'test://template/{id}/data', name: 'template', mimeType: 'application/json' }],
      }),
      read: async (uri) => readResource(uri),
    };
    this.prompts = {
      list: async (cursor) =>
        page(
          Object.entries(PROMPTS).map(([name, { args = [] }]) => ({ name, description: name, arguments: args.map(argument) })),
          cursor,
          pageSize,
        ),
      get: async (name, args, request) => {
        const prompt = Object.hasOwn(PROMPTS, name) ? PROMPTS[name] : undefined;
        if (prompt === undefined) throw invalidParams(`Cannot get ${name}: there is no such prompt`);
        return prompt.get(args, request);
      },
    };
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  onChanged(listener: (change: HostChange) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  change(change: HostChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

function readResource(uri: string): Outcome {
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  const found: JsonObject | undefined =
    id === undefined
      ? RESOURCES[uri]
      : { mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) };
  if (found === undefined) throw invalidParams(`Cannot read ${uri}: there is no such resource`, { uri });
  return { kind: 'done', result: { contents: [{ uri, ...found }] } };
}

function page(items: readonly JsonObject[], cursor: string | undefined, size: number): Page {
  const from = cursor === undefined ? 0 : Number(/^after-(\d+)$/.exec(cursor)?.[1]);
  if (Number.isNaN(from)) throw invalidParams('Cannot list: the cursor is none that was given here');
  const to = from + size;
  return { items: items.slice(from, to), nextCursor: to < items.length ? `after-${to}` : undefined };
}

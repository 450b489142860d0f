import { writeFileSync } from 'node:fs';
import { FakeModelServer, MODEL_KEY, TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { readConfig } from '../config/config.ts';
import type { SecretUse } from '../vault/secrets.ts';
import { answerText, complete } from './complete.ts';
import { configuredModels } from './configured-models.ts';

const NEVER = new AbortController().signal;
const hello = { messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }] } as const;

async function configured(config: (url: (provider: string) => string) => string, environment: Readonly<Record<string, string>> = {}) {
  const server = await FakeModelServer.start([{ text: 'hello' }]);
  const directory = await TemporaryDirectory.create();
  writeFileSync(
    directory.join('config.yaml'),
    config((provider) => server.url(provider)),
  );
  writeFileSync(directory.join('lab.key'), `${MODEL_KEY}\n`);
  const used: SecretUse[] = [];
  const secretOf = async (name: string, use: SecretUse): Promise<string> => {
    used.push(use);
    return name === 'good' ? MODEL_KEY : 'old';
  };
  const open = async () => configuredModels(await readConfig(directory.path), { secretOf, environment, now: () => 0 });
  return {
    ...{ server, directory, used, open },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

it('keys stand in the vault, in files and in the environment, and several are tried', async () => {
  await using on = await configured(
    (url) => `
models:
  default: [lab/small, anthropic/claude-sonnet-4-5]
  providers:
    - { name: anthropic, url: "${url('anthropic')}", secret: [bad, good] }
    - { name: lab, kind: compatible, url: "${url('compatible')}", key_file: lab.key }
    - { name: groq, url: "${url('groq')}" }
`,
    { GROQ_API_KEY: MODEL_KEY },
  );
  const models = await on.open();
  for (const name of ['anthropic/claude-sonnet-4-5', 'lab/small', 'groq/llama-3.1-8b-instant', undefined])
    expect(answerText(await complete(models.open(name), hello, NEVER))).toBe('hello');
  expect(on.server.asked.map(({ provider }) => provider)).toEqual(['anthropic', 'anthropic', 'compatible', 'groq', 'compatible']);
  expect(on.used[0]).toMatchObject({ kind: 'request', capability: 'model.ask', host: '127.0.0.1' });
});

it('without a word only the environment counts, and no model is the default', async () => {
  await using on = await configured(() => '');
  const models = await on.open();
  expect(models.providers).toContain('anthropic');
  expect(() => models.open()).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  await expect(complete(models.open('openai/gpt-5'), hello, NEVER)).rejects.toMatchObject({ details: { reason: 'key_refused' } });
});

it('scripts of a folder are models', async () => {
  await using on = await configured(() => 'models: { scripts: . }');
  const models = await on.open();
  writeFileSync(on.directory.join('demo.yaml'), 'turns: [{ text: played }]');
  expect(answerText(await complete(models.open('scripted/demo'), hello, NEVER))).toBe('played');
  await expect(complete(models.open('scripted/none'), hello, NEVER)).rejects.toMatchObject({ code: 'not_found' });
  await expect(complete(models.open('scripted/../demo'), hello, NEVER)).rejects.toMatchObject({ code: 'invalid_argument' });
});

it.each([
  ['models: { providers: [{ name: lab }] }', 'its kind is not said'],
  ['models: { providers: [{ name: lab, kind: compatible }] }', 'its address'],
  ['models: { providers: [{ name: lab, kind: compatible, url: "http://models.example.com/v1" }] }', 'https'],
  ['models: { providers: [{ name: groq, secret: a, key_file: b }] }', 'both secret and key_file'],
  ['models: { providers: [{ name: groq }, { name: groq }] }', 'taken'],
  ['models: { default: nothing }', 'provider/model'],
])('%s is a mistake', async (config, words) => {
  await using on = await configured(() => config);
  await expect(on.open()).rejects.toMatchObject({ code: 'invalid_argument', message: expect.stringContaining(words) });
});

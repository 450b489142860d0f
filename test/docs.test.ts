/** The snippets of the pages for operators: what they show can be used as it stands there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createDescriber, parsePolicies, parseScript, placeOf, shippedDefinitions, testPolicies } from '@warren/platform';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../packages/platform/src/config/config.ts';
import { readHookFile } from '../packages/platform/src/hook/hook-file.ts';
import { readMcpConfig } from '../packages/platform/src/mcp/mcp-config.ts';
import { createWebhookTarget, sign } from '../packages/platform/src/notify/webhook-target.ts';
import { ROOT } from './boundaries/read-tree.ts';

type Snippet = { readonly page: string; readonly line: number; readonly text: string };

const PAGES = [
  'README.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'examples/python/README.md',
  ...readdirSync(join(ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
];
const YAML = PAGES.flatMap((page) => snippetsOf(page, 'yaml'));
const POLICIES = YAML.filter(({ text }) => text.startsWith('# policies/'));
const CONFIGS = YAML.filter(({ text }) => text.startsWith('# config.yaml'));
const MOUNTED = YAML.filter(({ text }) => text.startsWith('# mcp-servers.yaml'));
const SCRIPTS = YAML.filter(({ text }) => text.startsWith('# scripts/'));
const HOOKS = YAML.filter(({ text }) => text.startsWith('# hooks.yaml'));

function snippetsOf(page: string, language: string): readonly Snippet[] {
  const source = readFileSync(join(ROOT, page), 'utf8');
  return [...source.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(({ index, 1: text = '' }) => ({
    ...{ page, text },
    line: source.slice(0, index).split('\n').length + 1,
  }));
}

const nameOf = ({ page, line }: Snippet): string => `${page}:${line}`;

describe('YAML in the docs', () => {
  it('says which file it is', () => {
    expect(YAML.filter((each) => ![POLICIES, CONFIGS, MOUNTED, HOOKS, SCRIPTS].some((kind) => kind.includes(each))).map(nameOf)).toEqual(
      [],
    );
    expect([POLICIES.length > 5, ...[CONFIGS, MOUNTED, HOOKS, SCRIPTS].map(({ length }) => length > 0)]).toEqual([
      true,
      true,
      true,
      true,
      true,
    ]);
  });

  it.each(POLICIES.map((each) => [nameOf(each), each.text] as const))(
    '%s is a policy without mistakes whose tests pass',
    async (_, text) => {
      const found = placeOf(/^# policies\/(\S+)/.exec(text)?.[1] ?? '');
      if (found === undefined) throw new Error('it does not say which file of a policy directory it is');
      const parsed = parsePolicies({ texts: [{ found, content: text }], problems: [] });
      expect(parsed.problems).toEqual([]);
      const definitions = await shippedDefinitions();
      const results = testPolicies(parsed, Date.now(), createDescriber(definitions));
      expect(results.filter(({ isPassed }) => !isPassed)).toEqual([]);
      const known = [...definitions.definitions.keys()];
      const named = parsed.loaded.flatMap(({ policy }) => policy.rules.flatMap(({ rule }) => rule.capability));
      expect(named.filter((name) => !name.includes('*') && !known.includes(name))).toEqual([]);
    },
  );

  it.each(CONFIGS.map((each) => [nameOf(each), each.text] as const))('%s is a configuration that can be used', async (_, text) => {
    await using directory = await TemporaryDirectory.create();
    writeFileSync(directory.join('config.yaml'), text);
    await expect(readConfig(directory.path)).resolves.toBeDefined();
  });

  it.each(MOUNTED.map((each) => [nameOf(each), each.text] as const))(
    '%s is a file of mounted servers that can be used',
    async (_, text) => {
      await using directory = await TemporaryDirectory.create();
      writeFileSync(directory.join('mcp-servers.yaml'), text);
      expect((await readMcpConfig(directory.path)).servers.length).toBeGreaterThan(0);
    },
  );

  it.each(HOOKS.map((each) => [nameOf(each), each.text] as const))('%s is a file of hooks that can be used', async (_, text) => {
    await using directory = await TemporaryDirectory.create();
    writeFileSync(directory.join('hooks.yaml'), text);
    expect((await readHookFile(directory.path)).hooks.length).toBeGreaterThan(0);
  });

  it.each(SCRIPTS.map((each) => [nameOf(each), each.text] as const))('%s is a script that can be played', async (name, text) => {
    expect((await parseScript(text, name)).length).toBeGreaterThan(0);
  });

  it('a mistake in one is found', () => {
    const found = placeOf('system.yaml');
    if (found === undefined) throw new Error('system.yaml is a policy');
    expect(
      parsePolicies({ texts: [{ found, content: 'rules: [ { capability: "*", teir: blocked } ]' }], problems: [] }).problems,
    ).not.toEqual([]);
  });
});

it('links between the pages lead somewhere', () => {
  const links = PAGES.flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\((?!https?:)([^)#\s]*)(#[^)\s]+)?\)/g)].map(([, path = '', anchor]) => ({
      page,
      path,
      anchor,
    })),
  );
  const dead = links.filter(({ page, path, anchor }) => {
    const target = path === '' ? page : join(page, '..', path);
    const source = readIfThere(target);
    return source === undefined || (anchor !== undefined && !headingsOf(source).includes(anchor));
  });
  expect(dead).toEqual([]);
});

/** Empty for a folder. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(join(ROOT, path), 'utf8');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EISDIR' ? '' : undefined; // That is what reading throws.
  }
}

function headingsOf(source: string): readonly string[] {
  return [...source.matchAll(/^#+ (.+)$/gm)].map(
    ([, heading = '']) =>
      `#${heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-')}`,
  );
}

describe('the receiver of webhooks in docs/approvals.md', () => {
  it('takes what Warren sends, once, and refuses what is changed, unsigned or old', async () => {
    const [snippet] = snippetsOf('docs/approvals.md', 'js');
    await using directory = await TemporaryDirectory.create();
    writeFileSync(directory.join('receive.mjs'), snippet?.text ?? '');
    writeFileSync(directory.join('key'), 'a key that both know\n');
    const receiver = spawn(process.execPath, [directory.join('receive.mjs')], {
      env: { WARREN_WEBHOOK_KEY: 'a key that both know', PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const lines = createInterface({ input: receiver.stdout })[Symbol.asyncIterator]();
      const url = /http:\S+/.exec((await lines.next()).value ?? '')?.[0] ?? '';
      const config = { name: 'docs', url, secret_file: directory.join('key'), notices: ['alert.sent' as const] };
      const target = createWebhookTarget(config, { now: () => Date.now() });
      const data = { severity: 'info', message: 'hello' };
      const notice = { id: 'default/1', kind: 'alert.sent' as const, workspace: 'default' as never, at: Date.now(), pid: 1, data }; // Any text is one here.
      const { signal } = new AbortController();
      await target.deliver(notice, signal);
      expect((await lines.next()).value).toBe('alert.sent info: hello (default)');
      await target.deliver(notice, signal); // The same again says nothing.
      await target.deliver({ ...notice, id: 'default/2', data: { ...data, message: 'again' } }, signal);
      expect((await lines.next()).value).toBe('alert.sent info: again (default)');
      const post = async (signature: string, body: string): Promise<number> =>
        (await fetch(url, { method: 'POST', headers: { 'warren-signature': signature }, body })).status;
      const [key, body] = ['a key that both know', '{"id":"x","kind":"alert.sent","title":"t"}'];
      const statuses = [
        await post(sign(key, Date.now(), body), `${body} `),
        await post(sign(key, Date.now() - 3_600_000, body), body),
        await post(sign('another', Date.now(), body), body),
        await post('', body),
        await post(sign(key, Date.now(), body), body),
      ];
      expect(statuses).toEqual([401, 401, 401, 401, 204]);
    } finally {
      receiver.kill();
      if (receiver.exitCode === null && receiver.signalCode === null) await once(receiver, 'exit');
    }
  });
});

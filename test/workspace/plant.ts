/** Puts a word into every kind of place that a workspace has, and finds it again by the bytes of a whole directory. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kernel } from '@warren/kernel';
import type { Platform } from '@warren/platform';
import type { WorkspaceId } from '@warren/protocol';

const FAR = 9_000_000_000_000;

export async function plant(kernel: Kernel, platform: Platform, directory: string, id: WorkspaceId, word: string): Promise<void> {
  const mine = kernel.workspace(id);
  const { pid } = await mine.processes.create({ name: word, template: word, metadata: { word } });
  const grants = {
    tools: ['*'],
    paths: [{ prefix: '/', mode: 'rw' }],
    hosts: [`${word.toLowerCase()}.example`],
    models: [],
    subAgents: true,
  } as const;
  const { pid: child } = await mine.processes.create({ name: 'child', template: 't', parentPid: pid, onParentEnd: 'orphan' });
  await mine.agents.create('ada', { purpose: word, grants: {}, budgets: {} });
  await mine.grants.create(pid, grants);
  await mine.grants.derive(pid, child, { tools: [`${word.toLowerCase()}.read`] });
  await mine.ledger.create({ kind: 'process', pid }, { tokens: 1_000 });
  await mine.ledger.create({ kind: 'workspace' }, { tokens: 1_000_000 });
  await mine.ledger.reserve(pid, { tokens: 5 });
  await mine.queue.enqueue({ pid, payload: { word } });
  for (const each of [pid, child]) await mine.mail.createBox(each);
  await mine.mail.subscribe(pid, `${word}.**`);
  await Promise.all(numbers(200).map((number) => mine.mail.publish(child, `${word}.today`, { kind: 'note', payload: { word, number } })));
  await mine.mail.send(child, pid, { kind: word, payload: { long: word.repeat(1_000) } });
  await mine.names.register(word, pid, { tags: [word] });
  for (const text of ['one', 'two']) await mine.files.write(pid, { path: `/memory/${word}` }, Buffer.from(`${word} ${text}`));
  await mine.files.write(pid, { path: '/blob/large' }, Buffer.from(word.repeat(100_000)));
  await Promise.all(numbers(1_200).map((number) => mine.events.append({ pid, kind: 'note', payload: { word, number } })));
  for (const value of ['one', 'two']) await mine.state.set({ kind: 'agent', agent: 'ada' }, word, { word, value }, { by: 'ada' });
  await mine.state.delete({ kind: 'agent', agent: 'ada' }, word, { by: 'ada' });
  await mine.alerts.send({ message: word, severity: 'info', agent: 'ada', pid, context: { word } });
  await kernel.tokens.create({ kind: 'member', workspace: id, role: 'viewer' }, { label: word });
  await kernel.people.create({ name: `p-${word.toLowerCase()}`, workspace: id, role: 'viewer', groups: [word.toLowerCase()] });
  await kernel.store.workspace(id).write(({ counters, taints, approvals, now }) => {
    counters.add(word, now, 3, FAR - now);
    taints.add({ pid, label: 'web', since: now, callId: undefined });
    approvals.insertRule({ id: `rule_${word}`, agent: 'ada', capability: 'mail.send', when: undefined, createdAt: now, createdBy: word, approvalId: 'a', expiresAt: FAR, revokedAt: undefined, revokedBy: undefined }); // biome-ignore format: one line
  });
  await mine.secrets.addDataKey({ number: 1, root: 1, wrapped: Buffer.from(word) });
  const versions = [{ version: 1, dataKey: 1, sealed: Buffer.from(word), createdAt: 5 }];
  const bindings = { hosts: [], capabilities: [], skills: [] };
  await mine.secrets.put({ name: word, type: 'other', purpose: word, bindings, version: 1, revokedAt: undefined, versions }, 0, 'created');
  await platform.memories.use(id, (memory) => memory.store([{ text: `${word} is remembered`, tags: [word], metadata: { word } }]));
  // What agents ask for: with its arguments, a refusal and a failure in the audit.
  const caller = (await platform.agents.start(id, { agent: 'ada', grants: { ...grants, hosts: [] }, budgets: {} })).pid;
  await platform.gate.call(id, {
    pid: caller,
    capability: 'alerts.send',
    input: { message: `${word} in a call`, severity: 'info' },
    reasoning: word,
  });
  await platform.gate.call(id, { pid: caller, capability: 'memory.store', input: { text: `${word} by a call` } });
  await platform.gate.call(id, { pid: caller, capability: 'state.set', input: { scope: word, key: word, nonsense: word } });
  const root = join(directory, 'workspaces', id);
  mkdirSync(join(root, 'files', word, 'deep'), { recursive: true });
  writeFileSync(join(root, 'files', word, 'deep', 'file'), word);
  symlinkSync('/etc', join(root, 'files', 'link'));
  mkdirSync(join(root, 'sessions'), { recursive: true });
  writeFileSync(join(root, 'sessions', 'one.jsonl'), `{"text":"${word}"}\n`);
  const policies = join(directory, 'policies', 'workspaces', id);
  mkdirSync(policies, { recursive: true });
  writeFileSync(join(policies, 'workspace.yaml'), `rules:\n  - { capability: "git.*", tier: blocked, reason: "${word}" }\n`);
  await platform.policies.reload();
  await platform.gate.call(id, { pid: caller, capability: 'git.status', input: { path: '/workspace' } });
}

/** Files below `directory` that have the word in their name or bytes, in any of the forms that we write text in. */
export function findWord(directory: string, word: string): readonly string[] {
  const forms = [word, word.toLowerCase(), Buffer.from(word).toString('base64').replace(/=+$/, ''), Buffer.from(word).toString('hex')];
  return readdirSync(directory, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    if (forms.some((form) => entry.name.includes(form))) return [path];
    if (!entry.isFile()) return [];
    const bytes = readFileSync(path);
    return forms.some((form) => bytes.includes(form)) ? [path] : [];
  });
}

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

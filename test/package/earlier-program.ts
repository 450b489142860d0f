/** As people wrote it for an earlier system: each name and shape is one of its own, and only the line that imports it is another. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createPlatform } from 'warren';

const stateDir = process.argv[2] ?? '';
mkdirSync(`${stateDir}/skills/shout`, { recursive: true });
writeFileSync(`${stateDir}/skills/shout/SKILL.md`, '---\nname: shout\ndescription: Says it louder\n---\n# Shout\n\nGive it text.\n');
writeFileSync(`${stateDir}/skills/shout/execute.sh`, 'tr a-z A-Z\n');

const platform = createPlatform({ stateDir, credentialPassphrase: 'correct horse battery staple' });
assert.deepEqual(
  platform.skills.list().map(({ id, name, description }) => ({ id, name, description })),
  [{ id: 'shout', name: 'Shout', description: 'Says it louder' }],
);

const workspace = await platform.createWorkspace('user-42', {
  provider: 'anthropic',
  model: 'claude-sonnet-4-20250514',
  systemPrompt: 'You are a helpful assistant.',
});
assert.equal(workspace.userId, 'user-42');
assert.equal(await platform.workspaceExists('user-42'), true);
assert.deepEqual(await platform.listWorkspaces(), ['user-42']);
await assert.rejects(platform.createWorkspace('user-42'), /already exists/);

const id = await workspace.memory.store('Works with React and TypeScript', { topic: 'stack' });
const [found] = await workspace.memory.search('typescript', { maxResults: 3, minScore: 0 });
assert.equal(found?.snippet, 'Works with React and TypeScript');
const [listed] = await workspace.memory.list();
assert.deepEqual([listed?.id, listed?.content, listed?.metadata], [id, 'Works with React and TypeScript', { topic: 'stack' }]);

await workspace.credentials.store('shout', { API_KEY: 'k-12345678' });
assert.deepEqual(await workspace.credentials.resolve('shout'), { API_KEY: 'k-12345678' });
assert.deepEqual(await workspace.credentials.list(), ['shout']);

assert.equal(workspace.skills.enable('shout'), true);
assert.equal(workspace.skills.enable('none'), false);
assert.equal(workspace.skills.isEnabled('shout'), true);
assert.deepEqual(workspace.skills.listEnabledIds(), ['shout']);
assert.equal(workspace.skills.listEnabled()[0]?.name, 'Shout');

const order: string[] = [];
workspace.hooks.register('session_start', async () => void order.push('start'), 10);
workspace.hooks.register('before_agent_start', async () => void order.push('before'));
workspace.hooks.register('before_tool_call', async ({ toolName }) => void order.push(toolName));
workspace.hooks.register('after_agent_end', async () => void order.push('after'));
workspace.hooks.register('session_end', async () => void order.push('end'));
const events: string[] = [];
const result = await workspace.run({ message: 'I prefer tea', sessionId: 'session_1', onEvent: ({ type }) => events.push(type) });
assert.equal(result.response, 'Noted.');
assert.deepEqual([result.sessionId, result.provider, result.model], ['session_1', 'anthropic', 'claude-sonnet-4-20250514']);
assert.deepEqual(order, ['start', 'before', 'memory.store', 'skill.run', 'after', 'end']);
assert.ok(events.includes('text'));
assert.equal((await workspace.memory.search('tea')).length, 1);

assert.equal(await workspace.credentials.delete('shout'), true);
assert.equal(await workspace.memory.delete(id), true);
assert.equal(workspace.skills.disable('shout'), true);
await workspace.destroy();
const again = await platform.getWorkspace('user-42');
assert.equal((await again.memory.list()).length, 1);
await platform.deleteWorkspace('user-42');
assert.deepEqual(await platform.listWorkspaces(), []);
console.log('all as before');

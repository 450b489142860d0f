import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { capabilityDocs } from './capability-docs.ts';
import { compileFacts } from './compile-facts.ts';
import { compileInput } from './compile-input.ts';
import { describeCapability } from './describe-capability.ts';
import { lintDefinitions } from './lint-definitions.ts';
import { loadDefinitions, readDefinitionTexts } from './load-definitions.ts';

const FOLDER = fileURLToPath(new URL('../../definitions', import.meta.url));
const set = loadDefinitions(await readDefinitionTexts(FOLDER));
const definitions = [...set.definitions.values()];

/** What is asked of people by default; everything else is `autonomous`, or `notify` where it says so in the files. */
const APPROVAL = [
  'filesystem.delete',
  'git.push',
  'secrets.rotate',
  'state.backup.create',
  'state.backup.delete',
  'state.backup.export',
  'state.backup.restore',
];
const NOTIFY = [
  'alerts.acknowledge',
  'code.edit',
  'code.multi_edit',
  'code.patch',
  'comms.broadcast',
  'comms.publish',
  'comms.send',
  'filesystem.append',
  'filesystem.copy',
  'filesystem.edit',
  'filesystem.mkdir',
  'filesystem.move',
  'filesystem.restore',
  'filesystem.search_content',
  'filesystem.write',
  'git.branch',
  'git.checkout',
  'git.clone',
  'git.commit',
  'git.init',
  'git.pull',
  'memory.forget',
  'network.credentialed_request',
  'network.download',
  'network.http_request',
  'process.kill',
  'process.run',
  'scheduler.cron_create',
  'scheduler.cron_delete',
  'scheduler.delay',
  'secrets.rotate_request',
  'secrets.use',
  'skill.run',
  'state.shared.delete',
  'state.shared.set',
  'state.snapshot.create',
];
const CATEGORIES = {
  agent: 5,
  alerts: 3,
  code: 7,
  comms: 6,
  filesystem: 15,
  git: 10,
  memory: 5,
  network: 5,
  process: 7,
  scheduler: 4,
  secrets: 4,
  skill: 3,
  state: 25,
  system: 5,
};

describe("Warren's own definitions", () => {
  it('have no problem and no warning', () => {
    expect(set.problems).toEqual([]);
    expect(lintDefinitions(definitions, set.lineOf)).toEqual([]);
  });

  it('are these many of each category', () => {
    const counts: Record<string, number> = {};
    for (const { name } of definitions) counts[name.split('.')[0]!] = (counts[name.split('.')[0]!] ?? 0) + 1; // A name has a dot.
    expect(counts).toEqual(CATEGORIES);
  });

  it('ask people by default for these, and tell them of these', () => {
    const ofTier = (tier: string): string[] => definitions.filter((each) => each.tier === tier).map(({ name }) => name);
    expect(ofTier('approval_required').sort()).toEqual(APPROVAL);
    expect(ofTier('notify').sort()).toEqual(NOTIFY);
    expect(ofTier('blocked')).toEqual([]);
  });

  it('only read when their effect says so', () => {
    const unsafe = definitions.filter(({ effect, sideEffects }) => effect === 'read' && sideEffects.length > 0);
    expect(unsafe.map(({ name }) => name)).toEqual([]);
  });

  it('have examples whose arguments they take, unless the example is of arguments they refuse', () => {
    for (const { name, inputs, examples } of definitions) {
      for (const { input, error } of examples) {
        if (error !== 'InvalidInput') expect([name, compileInput(inputs)(input).kind]).toEqual([name, 'valid']);
      }
    }
  });

  it('name the paths of every call that has any', () => {
    const facts = (name: string, input: object) => {
      const { inputs } = set.definitions.get(name)!; // They are all there.
      const parsed = compileInput(inputs)(input);
      return parsed.kind === 'valid' ? compileFacts(inputs)(parsed.input) : parsed;
    };
    expect(facts('filesystem.copy', { source: 'a', destination: '/workspace/../etc/b' })).toMatchObject({
      paths: [
        { path: '/workspace/a', mode: 'r' },
        { path: '/etc/b', mode: 'rw' },
      ],
    });
    expect(facts('process.run', { command: 'git', args: ['push', '-f'] })).toMatchObject({
      commands: [['git', 'push', '-f']],
      paths: [{ path: '/workspace', mode: 'r' }],
    });
    expect(facts('network.port_check', { host: 'DB.Example.COM.', port: 5432 })).toMatchObject({
      hosts: [{ host: 'db.example.com', port: 5432 }],
    });
    expect(facts('filesystem.write', { path: 'a', content: 'äö' })).toMatchObject({ contentBytes: 4, estimate: { fs_w_bytes: 4 } });
    expect(facts('code.multi_edit', { path: 'a', edits: [{ old_string: 'x', new_string: 'yy' }] })).toMatchObject({ contentBytes: 3 });
    expect(facts('system.echo', { text: 'x' })).toEqual({ paths: [], hosts: [], commands: [], contentBytes: undefined, estimate: {} });
  });

  it('are described as JSON that holds all a caller needs', () => {
    for (const definition of definitions) {
      const described = describeCapability(definition);
      expect(JSON.parse(JSON.stringify(described))).toEqual(described);
      expect(described['input_schema']).toMatchObject({ type: 'object', additionalProperties: false });
    }
  });

  it('are all on the page of docs/', async () => {
    const page = await readFile(new URL('../../../../docs/capabilities.md', import.meta.url), 'utf8');
    expect(page).toBe(capabilityDocs(definitions));
  });
});

import { expect, it } from 'vitest';
import { overruledIn } from './overruled-in.ts';
import { parsePolicies } from './parse-policies.ts';
import { placeOf } from './policy-places.ts';

function overruled(files: Readonly<Record<string, string>>): readonly string[] {
  const texts = Object.entries(files).map(([path, content]) => {
    const found = placeOf(path);
    if (found === undefined) throw new Error(`${path} is no place of a policy`);
    return { found, content };
  });
  const { loaded, problems } = parsePolicies({ texts, problems: [] });
  expect(problems).toEqual([]);
  return overruledIn(loaded).map(({ file, line, message }) => `${file}:${line}: ${message}`);
}

const FREE = 'rules:\n  - capability: git.push\n    tier: autonomous\n';

it('overruledIn says what a lower file cannot have, with both places', () => {
  expect(overruled({ 'organization.yaml': 'default: approval_required', 'workspace.yaml': FREE })).toEqual([
    'workspace.yaml:2: says autonomous, but of the same calls organization.yaml:1 says approval_required, and the stricter one wins',
  ]);
});

it('overruledIn compares files of one workspace, and those of an agent with what stands above', () => {
  const blocked = FREE.replace('autonomous', 'blocked');
  expect(overruled({ 'workspace.yaml': blocked, 'workspaces/other/workspace.yaml': FREE, 'workspaces/other/agents/a.yaml': FREE })).toEqual(
    [],
  );
  expect(overruled({ 'agents/a.yaml': blocked, 'agents/b.yaml': FREE })).toEqual([]);
  expect(overruled({ 'workspaces/other/workspace.yaml': blocked, 'workspaces/other/agents/a.yaml': FREE })).toHaveLength(1);
  expect(overruled({ 'system.yaml': FREE, 'workspace.yaml': blocked })).toEqual([]);
});

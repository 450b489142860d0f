import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { importPolicy } from './import-policy.ts';
import { readPolicy } from './read-policy.ts';

/** What was made can be used, and says this. */
function imported(content: string) {
  const found = importPolicy(content, 'old.yaml');
  const { problems } = readPolicy(found.text ?? '', { layer: 'workspace', file: 'new.yaml', of: undefined }, () => 'default: notify');
  expect(problems).toEqual([]);
  return { ...found, document: parse(found.text ?? '') as Record<string, unknown> };
}

describe('a policy of an earlier system', () => {
  it('as a map: exact names come before patterns, conditional rules before the tier', () => {
    const { document } = imported(`
name: my-policy
version: "1.0"
defaults: { tier: notify }
capabilities:
  filesystem.*: { tier: autonomous }
  filesystem.write:
    rules:
      - condition: { content_size_lt: 4096 }
        tier: autonomous
      - condition: { content_size_gte: 4096 }
        tier: approval_required
        reason: large
  email.send:
    tier: notify
    rate_limit: { max: 5, window: 3600, on_exceed: approval_required }
`);
    expect(document).toEqual({
      name: 'my-policy',
      version: '1.0',
      default: 'notify',
      rules: [
        { capability: 'filesystem.write', when: { size: { lt: 4096 } }, tier: 'autonomous' },
        { capability: 'filesystem.write', when: { size: { gte: 4096 } }, tier: 'approval_required', reason: 'large' },
        { capability: 'email.send', tier: 'notify', limit: { max: 5, per: '3600s', on_exceed: 'approval_required' } },
        { capability: 'filesystem.*', tier: 'autonomous' },
      ],
    });
  });

  it('as a list, whose paths are those of the agent', () => {
    const { document, notes } = imported(`
rules:
  - capability: "filesystem.*"
    tier: autonomous
    conditions: { path_prefix: "<workspace>/reporter/" }
  - { capability: "filesystem.*", tier: blocked, reason: "..." }
`);
    expect(document['rules']).toEqual([
      { capability: 'filesystem.*', when: { path: { under: ['/workspace/reporter'] } }, tier: 'autonomous' },
      { capability: 'filesystem.*', tier: 'blocked', reason: '...' },
    ]);
    expect(notes).toEqual(['there was no default: the tier of each capability holds where no rule matches']);
  });

  it('as a list with match', () => {
    const { document } = imported(
      'rules: [{ match: { capability: email.send }, tier: notify, rate_limit: { max_per_hour: 5, escalate_to: approval_required } }]',
    );
    expect(document['rules']).toEqual([
      { capability: 'email.send', tier: 'notify', limit: { max: 5, per: '3600s', on_exceed: 'approval_required' } },
    ]);
  });

  it('of an organization, and of an agent', () => {
    const { document } = imported('defaults: { tier: notify }\noverrides: [{ capability: "state.persistent.*", tier: autonomous }]');
    expect(document).toEqual({ default: 'notify', rules: [{ capability: 'state.persistent.*', tier: 'autonomous' }] });
    expect(imported('agent: builder\nextends: team-moderate\ncapabilities: { process.run: { tier: autonomous } }')).toMatchObject({
      agent: 'builder',
      document: { extends: 'team-moderate' },
    });
  });

  it('never becomes milder by what cannot be said: the rule is left out and told', () => {
    const { document, notes } = imported(
      'defaults: { tier: blocked }\nrules: [{ capability: a.b, tier: autonomous, conditions: { phase_of_the_moon: full } }, { tier: notify }, { capability: c.d, tier: allowed }]',
    );
    expect(document['rules']).toEqual([{ capability: 'c.d', tier: 'approval_required' }]);
    expect(notes).toEqual([
      'rules[0] was left out: its condition phase_of_the_moon has no equal here',
      'rules[1] was left out: it names no capability or no tier',
      'rules[2]: the tier "allowed" is unknown and was made approval_required',
    ]);
  });

  it('that is none is refused with its line', () => {
    expect(importPolicy('a: [', 'old.yaml')).toMatchObject({
      text: undefined,
      problems: [{ file: 'old.yaml', line: 1, severity: 'error' }],
    });
    expect(importPolicy('rules: 5', 'old.yaml')).toMatchObject({ text: undefined, problems: [{ line: 1 }] });
    for (const nothing of ['', '# later', '{}', 'foo: bar', 'name: my-policy']) {
      const { text, problems } = importPolicy(nothing, 'old.yaml');
      expect([text, problems]).toEqual([
        undefined,
        [expect.objectContaining({ line: 1, message: expect.stringContaining('says nothing') })],
      ]);
    }
  });
});

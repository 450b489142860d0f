import { writeFile } from 'node:fs/promises';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';

async function read(content: string) {
  await using directory = await TemporaryDirectory.create();
  await writeFile(directory.join('config.yaml'), content);
  return await readConfig(directory.path);
}

const webhook = (name: string) => `    - { name: ${name}, url: "https://example.org/", secret_file: key, notices: [alert.sent] }`;
const mail = (name: string) => `    - { name: ${name}, host: localhost, from: a@example.org, to: [b@example.org] }`;

describe('config.yaml', () => {
  it('says the same when it is not there as when it says nothing', async () => {
    await using directory = await TemporaryDirectory.create();
    expect(await readConfig(directory.path)).toEqual(await read('{}'));
  });

  it.each(['', '# nothing yet', '{}'])('has defaults for what it does not say: %j', async (content) => {
    expect(await read(content)).toMatchObject({ audit: { retention: 90 * 86_400_000, anchor_every: 3_600_000, anchors: [] } });
  });

  it.each([
    [
      'two webhooks of one name',
      ['notify:', '  webhooks:', webhook('ops'), webhook('ops')],
      'config.yaml:4: notify.webhooks[1].name: "ops" is taken',
    ],
    [
      'two mail targets of one name',
      ['notify:', '  mail:', mail('ops'), mail('dev'), mail('ops')],
      'config.yaml:5: notify.mail[2].name: "ops" is taken',
    ],
    ['anchors too often', ['audit:', '  anchor_every: 999ms'], 'config.yaml:2: audit.anchor_every: is shorter than 1s'],
    ['a retention that keeps nothing', ['audit:', '  retention: 1s'], 'config.yaml:2: audit.retention: is shorter than 1d'],
    ['a retention before time began', ['audit:', '  retention: 999999999d'], 'config.yaml:2: audit.retention: is longer than 36500d'],
    [
      'more anchors than there can be',
      ['audit:', '  anchors:', ...Array<string>(17).fill('    - { kind: file, path: heads }')],
      'config.yaml:2: audit.anchors: ',
    ],
  ])('is refused with %s, with the line', async (_, lines, problem) => {
    await expect(read(lines.join('\n'))).rejects.toThrow(problem);
  });

  it('takes what stands at the limits, and one name for a webhook and a mail target', async () => {
    const anchors = Array<string>(16).fill('    - { kind: file, path: heads }');
    const content = [
      'notify:',
      '  webhooks:',
      webhook('ops'),
      '  mail:',
      mail('ops'),
      'audit:',
      '  retention: 1d',
      '  anchor_every: 1s',
      '  anchors:',
      ...anchors,
    ];
    expect((await read(content.join('\n'))).audit).toMatchObject({ retention: 86_400_000, anchor_every: 1_000 });
  });
});

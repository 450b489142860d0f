/** The pages that are written from the contract say what is so. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAULTS, SUPERVISION_TYPES } from '@warren/protocol';
import { OPERATIONS } from '@warren/protocol/contract';
import { expect, it } from 'vitest';
import { apiPages } from '../scripts/pages/api-pages.ts';
import { withSection } from '../scripts/pages/write-section.ts';
import { ROOT } from './boundaries/read-tree.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

it('are what scripts/write-api-docs.ts writes', async () => {
  for (const [path, text] of await apiPages()) expect(read(path), path).toBe(text);
});

it('have every operation with its place, and every fault with its numbers', () => {
  const [protocol, operations] = [read('docs/protocol.md'), read('docs/operations.md')];
  expect(Object.keys(OPERATIONS).filter((name) => !protocol.includes(`| [${name}](`) || !operations.includes(`### ${name}\n`))).toEqual([]);
  const faults = Object.entries(FAULTS).filter(([code, { rpc, http }]) => !protocol.includes(`| \`${code}\` | ${rpc} | ${http} |`));
  expect(faults).toEqual([]);
  expect(SUPERVISION_TYPES.filter((type) => !read('docs/events.md').includes(`| \`${type}\` |`))).toEqual([]);
});

it('a section that is not there is a mistake', () => {
  expect(() => withSection('no marks', 'errors', '')).toThrow('no section');
});

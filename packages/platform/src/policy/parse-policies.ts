/** What policy files say: read as far as they can be, and told what is wrong with them. Of files that nobody can use nothing is in force. */

import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { checkPolicy, type PolicyFile, type PolicyProblem } from '@warren/kernel';
import { suggest } from '@warren/protocol';
import { readPlainFile } from '../internal/read-plain-file.ts';
import type { PolicyDocument } from './policy-document.ts';
import { type FoundPolicy, findPolicies } from './policy-places.ts';
import { readPolicy } from './read-policy.ts';
import { type FileProblem, POLICY_BYTES_MAX } from './read-yaml.ts';
import { templateText } from './templates.ts';

export type PolicyText = { readonly found: FoundPolicy; readonly content: string };

/** The texts that could be read, and what is wrong with the others. */
export type PolicyTexts = { readonly texts: readonly PolicyText[]; readonly problems: readonly FileProblem[] };

export type LoadedPolicy = { readonly found: FoundPolicy; readonly policy: PolicyFile; readonly tests: PolicyDocument['tests'] };

/** With an error among the problems they cannot be in force. */
export type ParsedPolicies = {
  /** SHA-256 of the files, in hexadecimal. */
  readonly version: string;
  readonly loaded: readonly LoadedPolicy[];
  readonly problems: readonly FileProblem[];
};

/** Of all files together. */
const ALL_BYTES_MAX = 8 * POLICY_BYTES_MAX;

/** Throws when the directory cannot be listed. One that is not there has no files. */
export async function readPolicyTexts(directory: string): Promise<PolicyTexts> {
  const { found, strays } = await findPolicies(directory);
  const texts: PolicyText[] = [];
  const problems: FileProblem[] = strays.map(strayProblem);
  let bytesLeft = ALL_BYTES_MAX;
  for (const each of found) {
    const read = await readPolicyText(join(directory, each.file), each);
    texts.push(...read.texts);
    problems.push(...read.problems);
    bytesLeft -= read.texts.reduce((sum, { content }) => sum + content.length, 0);
    if (bytesLeft < 0) return { texts, problems: [...problems, problem(each.file, `is too much: all files together are larger than ${ALL_BYTES_MAX} bytes`)] }; // biome-ignore format: one line
  }
  return { texts, problems };
}

/** One file. Links are followed: that is how some keep what they deploy. */
export async function readPolicyText(path: string, found: FoundPolicy): Promise<PolicyTexts> {
  const read = await readPlainFile(path, { bytesMax: POLICY_BYTES_MAX, mayBeLink: true });
  if (read.kind === 'refused') return { texts: [], problems: [problem(found.file, read.reason)] };
  if (!isUtf8(read.bytes)) return { texts: [], problems: [problem(found.file, 'is no UTF-8 text')] };
  return { texts: [{ found, content: read.bytes.toString('utf8') }], problems: [] };
}

export function parsePolicies({ texts, problems: unread }: PolicyTexts): ParsedPolicies {
  const hash = createHash('sha256');
  const loaded: LoadedPolicy[] = [];
  const problems: FileProblem[] = [...unread];
  for (const { found, content } of texts) {
    hash.update(JSON.stringify([found.file, content]));
    const read = readPolicy(content, { layer: found.layer, file: found.file, of: found.agent ?? found.workspace }, templateText);
    problems.push(...read.problems);
    if (read.policy !== undefined) loaded.push({ found, policy: read.policy, tests: read.document?.tests ?? [] });
  }
  for (const found of checkPolicy(loaded.map(({ policy }) => policy))) problems.push(toProblem(found));
  return { version: hash.digest('hex'), loaded, problems };
}

/** The message begins with file and line; here they stand beside it. */
function toProblem({ kind, file, line, message }: PolicyProblem): FileProblem {
  const place = `${file}:${line}: `;
  return { file, line, severity: kind, message: message.startsWith(place) ? message.slice(place.length) : message };
}

function problem(file: string, message: string): FileProblem {
  return { file, line: undefined, severity: 'error', message };
}

function strayProblem(file: string): FileProblem {
  const meant = meantBy(file);
  const message = `is not read: ${meant === undefined ? 'policies are in system, organization, workspace and agents/NAME .yaml' : `did you mean ${meant}`}`;
  return { file, line: undefined, severity: 'warning', message };
}

const NAMES = ['system.yaml', 'organization.yaml', 'workspace.yaml', 'agents/', 'workspaces/'] as const;

function meantBy(file: string): string | undefined {
  const [, folder = '', name = ''] = /^(.*\/)?([^/]+\/?)$/.exec(file) ?? [];
  if (folder.endsWith('agents/')) return name.endsWith('/') ? undefined : `${folder}${name.replace(/\.[^.]*$/, '')}.yaml`;
  const near = suggest(name, NAMES);
  return near === undefined ? undefined : `${folder}${near}`;
}

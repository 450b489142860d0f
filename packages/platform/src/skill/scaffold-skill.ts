/** A skill to begin with, which works as it is. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import { SKILL_FILE } from './skill.ts';

export type SkillLanguage = 'python' | 'javascript' | 'shell';

/** Those of Agent Skills, which other programs know too. */
const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const NAME_LENGTH_MAX = 64;

const PYTHON = `#!/usr/bin/env python3
"""Parameters come as one JSON object on standard input; the answer is one JSON text on standard output. What is said on standard error is logged."""
import json
import sys

params = json.load(sys.stdin)
name = params.get("name", "world")
json.dump({"text": f"Hello, {name}"}, sys.stdout)
`;

const JAVASCRIPT = `// Parameters come as one JSON object on standard input; the answer is one JSON text on standard output. What is said on standard error is logged.
let text = '';
for await (const chunk of process.stdin) text += chunk;
const { name = 'world' } = JSON.parse(text);
process.stdout.write(JSON.stringify({ text: \`Hello, \${name}\` }));
`;

const SHELL = `#!/bin/bash
# Parameters come as one JSON object on standard input; the answer is one JSON text on standard output. What is said on standard error is logged.
name=$(sed -n 's/.*"name" *: *"\\([A-Za-z0-9 ]*\\)".*/\\1/p')
printf '{"text":"Hello, %s"}' "\${name:-world}"
`;

const PROGRAMS: Readonly<Record<SkillLanguage, { readonly file: string; readonly text: string }>> = {
  python: { file: 'execute.py', text: PYTHON },
  javascript: { file: 'execute.mjs', text: JAVASCRIPT },
  shell: { file: 'execute.sh', text: SHELL },
};

/** Throws `invalid_argument`. */
export function checkNewSkillName(name: string): void {
  if (NAME.test(name) && name.length <= NAME_LENGTH_MAX) return;
  throw new Fault(
    'invalid_argument',
    `Cannot make the skill ${JSON.stringify(name.slice(0, 100))}: a name has small letters and digits with - between them, as release-notes, and at most ${NAME_LENGTH_MAX} characters`,
  );
}

/** Into a folder of this name that is there and empty. Returns its files. */
export async function scaffoldSkill(name: string, folder: string, language: SkillLanguage): Promise<readonly string[]> {
  checkNewSkillName(name);
  const program = PROGRAMS[language];
  const files = [
    { path: SKILL_FILE, text: manifest(name), mode: 0o644 },
    { path: program.file, text: program.text, mode: 0o755 },
  ];
  for (const { path, text, mode } of files) await writeFile(join(folder, path), text, { flag: 'wx', mode });
  return files.map(({ path }) => path);
}

function manifest(name: string): string {
  return `---
name: ${name}
description: Greets somebody by name. Say here what it is good for and when to use it; a model reads this first.
# What it may use; without these it has no secrets, no network and no files of the workspace.
# warren:
#   secrets: { API_KEY: api/key }
#   hosts: [api.example.com]
#   mounts: [{ path: reports, writable: true }]
#   timeout_seconds: 30
---
# ${name}

Give it \`{"name": "Ada"}\`; it answers \`{"text": "Hello, Ada"}\`.
`;
}

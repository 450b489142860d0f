import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Fault } from '@warren/protocol';

export const PACK_LANGUAGES = ['python', 'sh', 'node'] as const;
export type PackLanguage = (typeof PACK_LANGUAGES)[number];

const NAME = /^[a-z][a-z0-9_]{0,62}$/;

const PYTHON = `#!/usr/bin/env python3
"""One call: a request on standard input, an answer on standard output."""
import json
import sys


def greet(name):
    return {"text": f"Hello, {name}"}


def main():
    request = json.load(sys.stdin)
    try:
        answer = {"output": greet(**request["input"])}
    except ValueError as error:
        answer = {"error": {"type": "GreetingFailed", "message": str(error)}}
    json.dump(answer, sys.stdout)


main()
`;

const NODE = `#!/usr/bin/env node
// One call: a request on standard input, an answer on standard output.
let text = '';
for await (const chunk of process.stdin) text += chunk;
const { input } = JSON.parse(text);
process.stdout.write(JSON.stringify({ output: { text: \`Hello, \${input.name}\` } }));
`;

const SHELL = `#!/bin/sh
# One call: a request on standard input, an answer on standard output.
name=$(sed -n 's/.*"name":"\\([A-Za-z0-9 ]*\\)".*/\\1/p')
if [ -z "$name" ]; then
  printf '{"error":{"type":"GreetingFailed","message":"The name has more than letters, digits and spaces"}}'
else
  printf '{"output":{"text":"Hello, %s"}}' "$name"
fi
`;

const PROGRAMS: Readonly<Record<PackLanguage, { readonly file: string; readonly text: string }>> = {
  python: { file: 'run.py', text: PYTHON },
  sh: { file: 'run.sh', text: SHELL },
  node: { file: 'run.mjs', text: NODE },
};

/** Throws `invalid_argument`. */
export function checkPackName(name: string, builtin: readonly string[]): void {
  if (!NAME.test(name))
    throw new Fault('invalid_argument', `Cannot make the pack ${JSON.stringify(name)}: a name has small letters, digits and _, as weather`);
  if (builtin.some((each) => each.startsWith(`${name}.`)))
    throw new Fault('invalid_argument', `Cannot make the pack ${name}: that is a category of Warren itself`);
}

/** Writes a pack that works, as something to begin with. Faults: `invalid_argument`, `already_exists` (there is something in the folder). Returns its files. */
export async function scaffoldPack(name: string, folder: string, language: PackLanguage): Promise<readonly string[]> {
  checkPackName(name, []);
  const program = PROGRAMS[language];
  if (program === undefined)
    throw new Fault('invalid_argument', `Cannot make the pack ${name}: its language is not one of ${PACK_LANGUAGES.join(', ')}`);
  const files = [
    { path: 'pack.yaml', text: manifest(name, program.file), mode: 0o644 },
    { path: `definitions/${name}.yaml`, text: definition(name), mode: 0o644 },
    { path: program.file, text: program.text, mode: 0o755 },
  ];
  for (const { path, text, mode } of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text, { flag: 'wx', mode }).catch((cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause; // What writeFile throws has a code.
      throw new Fault('already_exists', `Cannot make the pack ${name}: ${path} is there already`, { cause });
    });
  }
  return files.map(({ path }) => path);
}

function manifest(name: string, program: string): string {
  return `name: ${name}
version: "0.1.0"
description: What it is for
definitions: definitions
# What is run for each call, in a sandbox of its own without network
executable: ["./${program}"]
`;
}

function definition(name: string): string {
  return `- name: ${name}.greet
  version: "1.0"
  purpose: Greets somebody by name
  when_to_use: To see that the pack works; do not use it for anything else.
  effect: read
  permission_tier: autonomous
  tags: [read, safe]
  deadline: { default: 10s, max: 1m }
  inputs:
    - { name: name, type: String, required: true, minimum: 1, maximum: 100, description: Whom to greet }
  outputs:
    - { name: text, type: String, required: true, description: The greeting }
  side_effects: []
  common_patterns:
    - { description: Greet somebody, steps: ["${name}.greet(name='Ada')"] }
  errors:
    - type: GreetingFailed
      description: The name cannot be used
      recovery: [{ action: fix_name, description: Use letters and digits }]
  examples:
    - { description: By name, input: { name: Ada }, output: { text: "Hello, Ada" } }
`;
}

/** What an operator sets in `<state>/config.yaml`. Without the file everything has its default. Secrets stand in files of their own, named here. */
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Fault } from '@warren/protocol';
import { readYaml } from '../policy/read-yaml.ts';
import { sayProblem } from '../policy/say-problem.ts';
import type { VaultKeyConfig } from '../vault/vault-key-config.ts';
import { CONFIG_DEFAULT } from './config-default.ts';
import type { Config } from './config-format.ts';

export const CONFIG_FILE = 'config.yaml';

/** Paths in it are relative to the state directory. Faults: `invalid_argument`, which names each mistake with its line. */
export async function readConfig(directory: string): Promise<Config> {
  return (await loadConfig(directory)).config;
}

/** The same, and SHA-256 of the file; of nothing when there is none. */
export async function loadConfig(directory: string): Promise<{ readonly config: Config; readonly hash: string }> {
  const file = join(directory, CONFIG_FILE);
  const content = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new Fault('invalid_argument', `Cannot use ${file}: it cannot be read (${error.code})`, { cause: error, details: { path: file } });
  });
  if (content === undefined) return { config: CONFIG_DEFAULT, hash: hash('sha256', '') };
  return { config: withPaths(await parse(content, file), dirname(file)), hash: hash('sha256', content) };
}

async function parse(content: string, file: string): Promise<Config> {
  const { configFormat } = await import('./config-format.ts');
  const { value, problems } = readYaml(content, CONFIG_FILE, configFormat, { isEmptyAllowed: true });
  if (value === undefined) {
    throw new Fault('invalid_argument', `Cannot use ${file}: ${problems.map(sayProblem).join('; ')}`, {
      details: { path: file, start: 'config' },
    });
  }
  return value;
}

function withPaths(value: Config, directory: string): Config {
  const at = (given: string): string => resolve(directory, given);
  const { notify, audit, egress, memory, models, vault, sign_in: signIn } = value;
  const { embedding } = memory;
  return {
    ...value,
    ...(egress.ca_file !== undefined && { egress: { ...egress, ca_file: at(egress.ca_file) } }),
    ...(embedding?.key_file !== undefined && { memory: { embedding: { ...embedding, key_file: at(embedding.key_file) } } }),
    models: {
      ...models,
      ...(models.scripts !== undefined && { scripts: at(models.scripts) }),
      providers: models.providers.map((each) => (each.key_file === undefined ? each : { ...each, key_file: each.key_file.map(at) })),
    },
    ...(vault.key !== undefined && { vault: { key: withKeyPath(vault.key, at) } }),
    sign_in: {
      providers: signIn.providers.map((each) =>
        each.client_secret_file === undefined ? each : { ...each, client_secret_file: at(each.client_secret_file) },
      ),
    },
    notify: {
      webhooks: notify.webhooks.map((each) => (each.secret_file === undefined ? each : { ...each, secret_file: at(each.secret_file) })),
      mail: notify.mail.map((each) => (each.password_file === undefined ? each : { ...each, password_file: at(each.password_file) })),
    },
    audit: {
      ...audit,
      anchors: audit.anchors.map((each) => {
        if (each.kind === 'file') return { ...each, path: at(each.path) };
        if (each.kind === 'git') return { ...each, directory: at(each.directory) };
        return { ...each, secret_file: at(each.secret_file) };
      }),
    },
  };
}

function withKeyPath(key: VaultKeyConfig, at: (given: string) => string): VaultKeyConfig {
  if (key.kind === 'file') return { ...key, path: at(key.path) };
  return key.kind === 'passphrase' && key.file !== undefined ? { ...key, file: at(key.file) } : key;
}

/** The configuration in force. It is read again when somebody asks for that; what is broken then leaves everything as it was, and people are told. */
import { isFault } from '@warren/protocol';
import { loadConfig } from './config.ts';
import type { Config } from './config-format.ts';

export type ConfigReload =
  /** `restart`: what is in the file and takes a restart to be in force. */
  { readonly kind: 'read'; readonly restart: readonly string[] } | { readonly kind: 'refused'; readonly why: string };

export type LiveConfigParts = {
  readonly directory: string;
  /** Before it is in force; rejects when that cannot be recorded. */
  readonly onChange: (hash: string) => Promise<void>;
  /** The file cannot be used. */
  readonly onRefused: (problem: string) => Promise<void>;
  /** Tells people what keeps the file from being used; undefined when nothing does. */
  readonly tell: (problem: string | undefined) => Promise<void>;
  /** That one of these two failed, which keeps nothing else from being done. */
  readonly say: (message: string) => void;
};

export class LiveConfig {
  readonly #parts: LiveConfigParts;
  #current: Config;

  constructor(current: Config, parts: LiveConfigParts) {
    this.#current = current;
    this.#parts = parts;
  }

  get current(): Config {
    return this.#current;
  }

  /** Rejects when it cannot be recorded; then nothing has changed. */
  async reload(): Promise<ConfigReload> {
    const { directory, onChange, onRefused, tell } = this.#parts;
    let read: Awaited<ReturnType<typeof loadConfig>>;
    try {
      read = await loadConfig(directory);
    } catch (error) {
      if (!isFault(error)) throw error;
      await this.#attempt('recorded', () => onRefused(error.message));
      await this.#attempt('told', () => tell(error.message));
      return { kind: 'refused', why: error.message };
    }
    await onChange(read.hash);
    const before = this.#current;
    this.#current = withFixed(read.config, before);
    await this.#attempt('told', () => tell(undefined));
    return {
      kind: 'read',
      restart: FIXED.filter(({ part }) => JSON.stringify(part(read.config)) !== JSON.stringify(part(before))).map(({ name }) => name),
    };
  }

  async #attempt(what: 'recorded' | 'told', act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#parts.say(`How the configuration was read could not be ${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** What was opened with it at the start. */
const FIXED: readonly { readonly name: string; readonly part: (config: Config) => unknown }[] = [
  { name: 'notify', part: ({ notify }) => notify },
  { name: 'egress', part: ({ egress }) => egress },
  { name: 'memory', part: ({ memory }) => memory },
  { name: 'models', part: ({ models }) => models },
  { name: 'audit.anchors', part: ({ audit }) => [audit.anchors, audit.anchor_every] },
];

function withFixed(next: Config, { notify, egress, memory, models, audit: { anchors, anchor_every } }: Config): Config {
  return { ...next, notify, egress, memory, models, audit: { ...next.audit, anchors, anchor_every } };
}

/** A certificate authority for one test, made by openssl, and certificates it gave out. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { TemporaryDirectory } from '@warren/testkit';

const run = promisify(execFile);
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export type Certificate = { readonly cert: string; readonly key: string };

export class TestAuthority implements AsyncDisposable {
  readonly ca: string;
  readonly #directory: TemporaryDirectory;

  private constructor(directory: TemporaryDirectory, ca: string) {
    this.#directory = directory;
    this.ca = ca;
  }

  static async create(): Promise<TestAuthority> {
    const directory = await TemporaryDirectory.create();
    const file = (name: string): string => directory.join(name);
    await run('openssl', [
      'req',
      '-x509',
      ...KEY,
      '-keyout',
      file('ca.key'),
      '-out',
      file('ca.crt'),
      '-days',
      '2',
      '-subj',
      '/CN=Test authority',
    ]);
    return new TestAuthority(directory, await readFile(file('ca.crt'), 'utf8'));
  }

  /** Names as `DNS:a.test` or `IP:127.0.0.1`. */
  async issue(names: readonly string[]): Promise<Certificate> {
    const file = (name: string): string => this.#directory.join(name);
    await writeFile(file('names'), `subjectAltName=${names.join(',')}\n`);
    await run('openssl', ['req', '-new', ...KEY, '-keyout', file('leaf.key'), '-out', file('leaf.csr'), '-subj', '/CN=leaf']);
    const sign = ['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial', '-extfile', file('names')];
    await run('openssl', ['x509', '-req', '-in', file('leaf.csr'), '-out', file('leaf.crt'), '-days', '2', ...sign]);
    return { cert: await readFile(file('leaf.crt'), 'utf8'), key: await readFile(file('leaf.key'), 'utf8') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
  }
}

/** Who may import whom, as data with reasons. `check-boundaries.ts` holds the tree to it. */

export type PackageRule = {
  /** The name it is imported by. */
  readonly name: string;
  /** What may be imported of it besides its name: `contract` for `NAME/contract`. */
  readonly entries?: readonly string[];
  /** Folders in packages/ it may import. */
  readonly ours: readonly string[];
  /** Whether it may use what Node brings. */
  readonly node: boolean;
  /** Packages of others it may import. */
  readonly theirs: readonly string[];
  readonly why: string;
};

export type Rules = {
  readonly packages: Readonly<Record<string, PackageRule>>;
  /** Modules that only these folders may import. */
  readonly onlyIn: readonly { readonly module: string; readonly folders: readonly string[]; readonly why: string }[];
  /** What a folder or file may not import: modules, or folders and files of ours. */
  readonly apart: readonly { readonly path: string; readonly mayNotImport: readonly string[]; readonly why: string }[];
  /** Folders anywhere below a package that hold help for tests, not tests themselves. What ships may not import them. */
  readonly testFolders: readonly string[];
  /** What tests and their helpers may import on top of what their package may, and Node with it. */
  readonly testsAlso: readonly string[];
};

export const RULES: Rules = {
  packages: {
    protocol: {
      name: '@warren/protocol',
      entries: ['contract'],
      ours: [],
      node: false,
      theirs: ['zod'],
      why: 'shared with browsers and SDKs',
    },
    sandbox: {
      name: '@warren/sandbox',
      entries: ['certificate', 'egress'],
      ours: ['protocol'],
      node: true,
      theirs: ['diff', 'ipaddr.js'],
      why: 'useful alone; knows no tenant and no policy',
    },
    kernel: {
      name: '@warren/kernel',
      entries: ['sqlite'],
      ours: ['protocol'],
      node: true,
      theirs: ['cborg', 'croner', 're2js'],
      why: 'owns state; knows no transport, no sandbox and no capability by name',
    },
    platform: {
      name: '@warren/platform',
      ours: ['protocol', 'sandbox', 'kernel', 'client'],
      node: true,
      theirs: [
        '@ai-sdk/anthropic',
        '@ai-sdk/google',
        '@ai-sdk/openai',
        '@ai-sdk/openai-compatible',
        '@modelcontextprotocol/client',
        '@vscode/tree-sitter-wasm',
        'diff',
        'nodemailer',
        're2js',
        'yaml',
        'zod',
      ],
      why: 'what agents and tenants have; hands capabilities to the gate',
    },
    gateway: {
      name: '@warren/gateway',
      ours: ['protocol', 'kernel', 'platform'],
      node: true,
      theirs: [
        'jose',
        'ws',
        'zod',
        '@opentelemetry/api',
        '@opentelemetry/exporter-trace-otlp-http',
        '@opentelemetry/resources',
        '@opentelemetry/sdk-trace',
      ],
      why: 'adapters only: no SQL, no business rules, starts no processes',
    },
    client: {
      name: '@warren/client',
      ours: ['protocol'],
      node: true,
      theirs: [],
      why: 'what programs hold; knows the contract and nothing behind it',
    },
    cli: {
      name: 'warren',
      ours: ['protocol', 'sandbox', 'kernel', 'platform', 'gateway', 'client'],
      node: true,
      theirs: ['commander', 'ws'],
      why: 'turns words into calls and answers into words',
    },
    testkit: {
      name: '@warren/testkit',
      ours: ['protocol', 'sandbox', 'kernel'],
      node: true,
      theirs: ['vitest', 'fast-check'],
      why: 'ships to nobody',
    },
  },
  onlyIn: [
    {
      module: 'node:child_process',
      folders: [
        'packages/sandbox/src/backends',
        'packages/cli/src/internal/detach.ts',
        'packages/cli/src/internal/run-git.ts',
        'packages/cli/src/internal/run-key-command.ts',
        'scripts',
        'test',
        'bench',
      ],
      why: 'what starts processes stands in one place, so that nothing runs outside the walls by accident; the daemon starts itself anew to leave its terminal, and pushes heads of its audit to the repository of its operator and asks a program of theirs for the key of the vault',
    },
    {
      module: 'zod',
      folders: ['packages/protocol/src/contract', 'packages/platform/src', 'packages/gateway/src', 'test', 'bench/comparators'],
      why: 'it costs a start 20 ms and more, so only who speaks to a wire loads it',
    },
    ...['anthropic', 'google', 'openai', 'openai-compatible'].map((name) => ({
      module: `@ai-sdk/${name}`,
      folders: ['packages/platform/src/model/provider/library.ts'],
      why: 'what knows the wire formats of models can be replaced, so its types show nowhere else',
    })),
    {
      module: 'node:sqlite',
      folders: ['packages/kernel/src/store', 'scripts', 'test', 'bench'],
      why: 'nothing above the store knows SQL',
    },
    {
      module: '@warren/kernel/sqlite',
      folders: ['packages/platform/src/memory/memory-store.ts', 'test', 'bench'],
      why: 'as above, but for the one file of memory that does',
    },
  ],
  apart: [
    ...['browser', 'connect-by-fetch', 'create-client', 'fetch-transport', 'follow-events', 'operations-of'].map((file) => ({
      path: `packages/client/src/${file}.ts`,
      mayNotImport: ['node:', 'packages/client/src/node-transport.ts', 'packages/client/src/connect.ts'],
      why: 'what browsers load has only what the web has; a test bundles all of it',
    })),
    {
      path: 'packages/kernel/src/store',
      mayNotImport: [
        'packages/kernel/src/process',
        'packages/kernel/src/event',
        'packages/kernel/src/grant',
        'packages/kernel/src/ledger',
        'packages/kernel/src/schedule',
        'packages/kernel/src/run',
        'packages/kernel/src/mailbox',
        'packages/kernel/src/registry',
        'packages/kernel/src/agentfs',
        'packages/kernel/src/token',
        'packages/kernel/src/workspace',
        'packages/kernel/src/retention',
        'packages/kernel/src/observe',
        'packages/kernel/src/chaos',
        'packages/kernel/src/policy',
        'packages/kernel/src/syscall',
        'packages/kernel/src/approval',
        'packages/kernel/src/audit',
        'packages/kernel/src/state',
        'packages/kernel/src/alert',
        'packages/kernel/src/agent',
        'packages/kernel/src/person',
        'packages/kernel/src/taint',
        'packages/kernel/src/open-kernel.ts',
      ],
      why: 'the store keeps rows and knows none of the rules',
    },
    {
      path: 'packages/kernel/src/redact',
      mayNotImport: ['packages/kernel/src/store', 'packages/kernel/src/syscall', 'packages/kernel/src/audit'],
      why: 'it takes values out of texts, and knows neither where they come from nor where they go',
    },
    {
      path: 'packages/kernel/src/process',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/taint',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/event',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/grant',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/ledger',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/schedule',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/run',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/schedule',
      mayNotImport: ['packages/kernel/src/run'],
      why: 'runs are made of entries; the queue tells whoever wants to hear, and knows no run',
    },
    {
      path: 'packages/kernel/src/mailbox',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/registry',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/agentfs',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/token',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/workspace',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/retention',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/observe',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/chaos',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/syscall',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/approval',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/audit',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/state',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/alert',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/agent',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/person',
      mayNotImport: ['packages/kernel/src/store/sqlite', 'packages/kernel/src/open-kernel.ts'],
      why: 'nouns know the contract of the store, not which one it is',
    },
    {
      path: 'packages/kernel/src/policy',
      mayNotImport: ['node:', 'packages/kernel/src/store', 'packages/kernel/src/open-kernel.ts'],
      why: 'a decision is a function of rules and request',
    },
    {
      path: 'packages/sandbox/src/egress',
      mayNotImport: ['packages/sandbox/src/backends'],
      why: 'the guard knows addresses, no sandbox',
    },
    {
      path: 'packages/sandbox/src/contract.ts',
      mayNotImport: ['packages/sandbox/src/backends', 'node:'],
      why: 'the contract is the same for every backend',
    },
    {
      path: 'packages/sandbox/src/guest',
      mayNotImport: ['packages/sandbox/src/backends'],
      why: 'the guest protocol runs on any byte stream',
    },
    { path: 'packages/sandbox/src/seccomp', mayNotImport: ['packages/sandbox/src/backends'], why: 'a filter is bytes made from a table' },
    {
      path: 'packages/sandbox/src/layer',
      mayNotImport: ['packages/sandbox/src/backends'],
      why: 'a layer outlives the sandbox that wrote it',
    },
  ],
  testFolders: ['test-support', 'e2e', 'conformance'],
  testsAlso: ['@warren/testkit', 'vitest', 'fast-check', 'smtp-server'],
};

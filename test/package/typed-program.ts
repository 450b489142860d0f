/** What the declarations say, said again: it is checked and not run. */
import {
  createPlatform,
  createRuntime,
  Fault,
  type FaultCode,
  isFault,
  type MemorySearchResult,
  type ModelProvider,
  type Platform,
  type PlatformConfig,
  type RunResult,
  scriptedProvider,
  type Workspace,
  type WorkspaceConfig,
} from 'warren';

const script: ModelProvider = scriptedProvider([{ text: 'hello' }]);
const config: PlatformConfig = { stateDir: '/x', providers: { script }, requiresDaemon: true };
const given: WorkspaceConfig = { model: 'm', skills: { enabled: ['a'] } };

export async function use(): Promise<RunResult> {
  await using platform: Platform = createPlatform(config);
  await using workspace: Workspace = await platform.createWorkspace('ann', given);
  const found: MemorySearchResult[] = await workspace.memory.search('tea', { signal: AbortSignal.timeout(1_000) });
  const { metadata, score } = found[0] ?? { metadata: undefined, score: 0 };
  using lease = workspace.hooks.register('before_tool_call', ({ toolName, input }) =>
    toolName === 'process.run' ? { veto: 'no' } : { input: { ...input, metadata: metadata ?? null, score } },
  );
  const session = await workspace.sessions.create('talk', { title: 'Tea' });
  await session.append([{ type: 'message', role: 'user', content: [{ type: 'text', text: 'hi' }] }]);
  await using runtime = await createRuntime({ model: 'm', providers: { script } });
  void lease;
  try {
    return await runtime.run({ message: 'hi', onEvent: (event) => event.type === 'text' && console.log(event.text) });
  } catch (error) {
    const code: FaultCode | undefined = isFault(error, 'busy') ? error.code : undefined;
    throw new Fault(code ?? 'internal', 'Cannot go on');
  }
}

// @ts-expect-error: there is no such hook
export const wrong = (workspace: Workspace): unknown => workspace.hooks.register('before_lunch', () => undefined);

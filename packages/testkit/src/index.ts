/** Disposable set-up and checks for Warren's own tests. Nothing that ships imports it. */
export { heldBytes } from './held-bytes.ts';
export { diff, leaksSince, type Snapshot, type SnapshotOptions, snapshot } from './leaks.ts';
export { type AskedModel, FakeModelServer, type FakeModelServerOptions, MODEL_KEY } from './model-server/fake-model-server.ts';
export { type ServedCall, type ServedTurn, type ServedUsage, USAGE } from './model-server/served-turn.ts';
export { TemporaryDirectory } from './temporary-directory.ts';
export {
  type IssuerClaims,
  type IssuerKey,
  makeKey,
  signToken,
  TestIssuer,
  tokenSignedWithPublicKey,
  unsignedToken,
} from './test-issuer.ts';
export { TestMcpLoginServer } from './test-mcp-login-server.ts';

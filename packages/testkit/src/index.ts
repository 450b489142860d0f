/** Disposable set-up and checks for Warren's own tests. Nothing that ships imports it. */
export { heldBytes } from './held-bytes.ts';
export { diff, leaksSince, type Snapshot, type SnapshotOptions, snapshot } from './leaks.ts';
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

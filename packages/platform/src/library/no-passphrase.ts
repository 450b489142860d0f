import { Fault } from '@warren/protocol';

export function noPassphrase(): Fault {
  return new Fault(
    'invalid_argument',
    'Cannot lock the credentials of a workspace: there is no passphrase; give credentialPassphrase to createPlatform, or set WARREN_CREDENTIAL_KEY',
    { details: { field: 'credentialPassphrase' } },
  );
}

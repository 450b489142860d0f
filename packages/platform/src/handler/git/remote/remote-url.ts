/** The URL a repository says a remote has. */
import { CapabilityError } from '../../../capability/handler.ts';
import { isRemoteName } from '../names.ts';
import type { Repository } from '../open-repository.ts';

export function remoteUrl(repository: Repository, remote: string, use: 'fetch' | 'push'): string {
  const failure = use === 'fetch' ? 'PullFailed' : 'PushFailed';
  if (!isRemoteName(remote))
    throw new CapabilityError('InvalidInput', 'Cannot use the remote: that is no name of one', { context: { field: 'remote' } });
  const own = use === 'push' ? repository.setting(`remote.${remote}.pushurl`) : undefined;
  const url = own ?? repository.setting(`remote.${remote}.url`);
  if (url !== undefined) return url;
  throw new CapabilityError(failure, `Cannot reach ${remote}: the repository knows no remote of that name`);
}

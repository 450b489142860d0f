/** Moves HEAD and the files with it; refuses where changes would be lost. */
import { CapabilityError } from '../../capability/handler.ts';
import { lastWords, type Repository } from './open-repository.ts';

export async function switchTo(repository: Repository, target: readonly string[]): Promise<void> {
  const outcome = await repository.git(['switch', '--quiet', '--no-guess', '--no-recurse-submodules', '--no-progress', ...target]);
  if (outcome.code === 0) return;
  if (/would be overwritten|you need to resolve|cannot switch branch while/.test(outcome.stderr)) {
    throw new CapabilityError(
      'UncommittedChanges',
      'Cannot switch: changes that are not committed would be lost, or something is under way',
    );
  }
  throw new CapabilityError('InvalidInput', `Cannot switch: ${lastWords(outcome)}`);
}

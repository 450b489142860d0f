import type { Platform } from '@warren/platform';
import { Fault } from '@warren/protocol';
import type { HandlersOf } from './handler.ts';
import { toCapabilityDescription, toCapabilitySummary } from './record/capability.ts';

export function createCapabilityHandlers(platform: () => Platform): HandlersOf<'capability.'> {
  const inCategory = (category: string | undefined) => (name: string) => category === undefined || name.startsWith(`${category}.`);
  return {
    async 'capability.list'({ category }) {
      const definitions = platform()
        .capabilities.definitions()
        .filter(({ name }) => inCategory(category)(name));
      return { capabilities: definitions.map(toCapabilitySummary) };
    },

    async 'capability.offered'({ pid, category }, { workspace }) {
      const offers = (await platform().gate.offered(workspace, pid)).filter(({ name }) => inCategory(category)(name));
      const capabilities = offers.flatMap(({ name, tier }) => {
        const definition = platform().capabilities.findDefinition(name);
        return definition === undefined ? [] : [{ ...toCapabilitySummary(definition), tier }];
      });
      return { capabilities };
    },

    async 'capability.describe'({ name }) {
      const definition = platform().capabilities.findDefinition(name);
      if (definition !== undefined) return toCapabilityDescription(definition);
      throw new Fault(
        'not_found',
        `Cannot describe ${JSON.stringify(name)}: there is no such capability; \`warren capability list\` shows them`,
      );
    },

    async 'capability.reload'() {
      const { capabilities } = platform();
      const { revision, problems } = await capabilities.reload();
      return {
        ...{ revision, capabilities: capabilities.list().length },
        problems: problems.map(({ file, line, severity, field, reason }) => ({
          file,
          line,
          severity,
          message: `${field}${field === '' ? '' : ': '}${reason}`,
        })),
      };
    },
  };
}

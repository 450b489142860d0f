/**
 * What unlocks the vault, as `config.yaml` says it:
 *
 *     vault:
 *       key: { kind: systemd, name: warren-vault }
 *
 * Absent: a file in the state directory, made when the vault is; or, once somebody gave the vault a passphrase, that.
 */
import { z } from 'zod';

const path = z.string().min(1).max(4_096);

const passphrase = z
  .strictObject({
    kind: z.literal('passphrase'),
    /** Where it stands. Without any of these a person gives it after each start. */
    env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, { error: 'is not the name of a variable' })
      .optional(),
    file: path.optional(),
    /** A pipe or file that whoever starts the daemon leaves open. */
    descriptor: z.int().min(3).max(9).optional(),
  })
  .refine(({ env, file, descriptor }) => [env, file, descriptor].filter((each) => each !== undefined).length <= 1, {
    error: 'has more than one of env, file and descriptor',
  });

export const vaultConfig = z.strictObject({
  key: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('file'), path }),
      z.strictObject({
        kind: z.literal('systemd'),
        name: z.string().regex(/^[A-Za-z0-9_.-]{1,255}$/, { error: 'is no name of a credential' }),
      }),
      z.strictObject({ kind: z.literal('command'), argv: z.array(z.string().min(1).max(4_096)).min(1).max(64) }),
      passphrase,
    ])
    .optional(),
});

export type VaultKeyConfig = NonNullable<z.output<typeof vaultConfig>['key']>;

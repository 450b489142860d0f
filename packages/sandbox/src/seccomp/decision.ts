/** Error numbers a filter answers with. Both architectures share them (asm-generic/errno*.h). */
export const ERRNOS = { EPERM: 1, EINVAL: 22, ENOSYS: 38, EPROTONOSUPPORT: 93, EAFNOSUPPORT: 97 } as const;

export type Errno = keyof typeof ERRNOS;

/** What happens to a call: it runs, it fails with an error, or its arguments decide. */
export type Decision = 'allow' | Errno | Question;

/**
 * Looks at one argument (0 to 5), keeps the bits of `mask`, and takes the first case that names the value.
 *
 * Only the low 32 bits of an argument are ever compared, on purpose: every argument asked about is an `int`, `unsigned int` or
 * `umode_t` in the kernel (`clone` drops the upper half of its flags itself), so the kernel ignores the upper half and the filter has
 * to ignore it too. A filter that compares all 64 bits is walked around by setting bit 32: CVE-2019-10063, CVE-2019-7303. What a
 * pointer points at cannot be seen; a call whose meaning hides there is refused whole.
 */
export type Question = {
  readonly arg: 0 | 1 | 2 | 3 | 4 | 5;
  readonly mask?: number;
  readonly cases: readonly { readonly is: readonly number[]; readonly answer: Decision }[];
  readonly otherwise: Decision;
};

/** Bounds of definitions and of what calls carry. What passes one is refused with a problem that says which. */
const MIB = 1_048_576;

export const LIMITS = {
  /** A file of definitions. */
  fileBytesMax: MIB,
  /** Values that YAML aliases may stand for, all together. */
  aliasesMax: 200,
  definitionsMax: 256,
  /** Of a file, problems that are told. */
  problemsMax: 100,

  /** Arguments of a call besides content, as UTF-8. */
  inputBytesMax: MIB,
  /** Content of a call: what the gate lets through, 2 MiB as JSON, less a place for the rest. */
  contentBytesMax: 2 * MIB - 65_536,
  /** Objects and lists within each other. */
  depthMax: 32,
  /** Values of all depths: an empty list has two bytes and takes fifty times that in memory. */
  valuesMax: 100_000,
  pathBytesMax: 4_096,
  urlLengthMax: 8_192,
  argumentsMax: 4_096,
  /** Content longer than this is recorded by its beginning, its length and its hash. */
  recordedContentLengthMax: 65_536,
} as const;

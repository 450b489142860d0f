/** Bounds of rules and of what they look at. Beyond those of rules a file is refused; beyond those of calls a condition turns against the call. */

export const RULES_MAX = 100_000;
export const FILES_MAX = 10_000;
/** Entries of one list in a rule. */
export const LIST_MAX = 1_000;
/** Characters of a pattern, path, name or reason. */
export const TEXT_MAX = 4_096;
export const REGEX_LENGTH_MAX = 1_000;
/** Instructions of a compiled regex: time is text × program. */
export const REGEX_PROGRAM_MAX = 2_000;
export const CONTAINS_LENGTH_MAX = 256;
/** Conditions in conditions. */
export const CONDITION_DEPTH_MAX = 8;
/** Conditions in one rule. */
export const CONDITIONS_MAX = 256;
/** Lists and objects within a value that is compared. */
export const VALUE_DEPTH_MAX = 16;
export const QUORUM_MAX = 100;
export const YEAR_MS = 366 * 86_400_000;
export const SECOND_MS = 1_000;
/** Problems told; the rest is counted. */
export const PROBLEMS_MAX = 100;

/** Characters of a text that are searched by `contains` and `regex`. */
export const SEARCHED_TEXT_MAX = 262_144;
/** Elements of an argument that is a list. */
export const VALUES_MAX = 10_000;

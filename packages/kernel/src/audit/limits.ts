/** Bounds of the audit, in one place because they depend on each other. */

/** Of one entry as it is written; a larger one is refused. */
export const ENTRY_BYTES_MAX = 262_144;
/** Of anything that is framed. What claims to be longer is damage. */
export const FRAME_BYTES_MAX = 524_288;
/** One flush. A crash can cut no more than this. */
export const GROUP_ENTRIES_MAX = 1_024;
export const GROUP_BYTES_MAX = 4_194_304;
/** Entries and bytes that wait for a flush; more are refused with `busy`. */
export const WAITING_ENTRIES_MAX = 16_384;
export const WAITING_BYTES_MAX = 33_554_432;
/** A day that has more goes on in a further file. Offsets are kept in four bytes. */
export const SEGMENT_BYTES_MAX = 67_108_864;
/** Of the values an entry carries. */
export const DEPTH_MAX = 64;
export const WORD_BYTES_MAX = 1_024;
/** Hashes of purged entries in one frame. */
export const PURGED_HASHES_MAX = 8_192;

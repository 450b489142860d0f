/** What any operation may answer that touches the store. */

/** `not_found` is the workspace. */
export const ON_READ = ['not_found', 'store_failed'] as const;

export const ON_WRITE = [...ON_READ, 'busy', 'storage_full'] as const;

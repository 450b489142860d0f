/** An error and those it hides: when closing fails after something else has, the language wraps both, and prints neither. */
export function errorsIn(error: unknown): readonly unknown[] {
  return error instanceof SuppressedError ? [...errorsIn(error.suppressed), ...errorsIn(error.error)] : [error];
}

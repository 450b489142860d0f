/** Called before each step; throws when there shall be no more. */
export type BetweenSteps = () => Promise<void>;

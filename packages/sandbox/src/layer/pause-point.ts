/** Moments at which a test can stop or kill an apply or undo. */
export type PausePoint = 'begun' | 'prepared' | 'recorded' | 'step' | 'done' | 'ended';

export type OnPause = (point: PausePoint, path: string | undefined) => void | Promise<void>;

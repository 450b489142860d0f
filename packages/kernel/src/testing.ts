/** For tests and drills: faults at named points, time that a test owns, and trouble on purpose. Nothing that ships imports it. */
export { type Chaos, createChaos } from './chaos/chaos.ts';
export { createFaultPlan, type FaultPlan, type PlannedFault } from './chaos/fault-plan.ts';
export { createRandom, type Random } from './chaos/random.ts';
export { type Clock, createClock, type MachineTime } from './internal/clock.ts';
export { type FaultPoint, type FaultPoints, PlayedCrash } from './internal/fault-points.ts';

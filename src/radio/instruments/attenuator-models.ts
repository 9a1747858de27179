/** An attenuator of the CDC command set. */
export interface AttenuatorModel {
  readonly name: string;
  readonly maxDb: number;
  readonly stepDb: number;
  /** Digits before the point in `att-...`: 2 or 3. */
  readonly digits: 2 | 3;
}

/**
 * Step attenuators with a CDC serial port that understand `att-012.50` and `READ`, by falling range: the order in which a box is asked for its model. Source:
 * coozoo/digiattcontrol, attdevice.h (models, ranges, steps, formats as found on the devices).
 */
export const ATTENUATOR_MODELS: readonly AttenuatorModel[] = [
  { name: 'DC-6GHZ-120DB', maxDb: 124.75, stepDb: 0.25, digits: 3 },
  { name: 'DC-6GHZ-90DB-V3', maxDb: 95.25, stepDb: 0.25, digits: 3 },
  { name: 'DC-3G-90DB-V2', maxDb: 94.5, stepDb: 0.5, digits: 3 },
  { name: 'DC-6GHZ-30DB', maxDb: 31.75, stepDb: 0.25, digits: 2 },
  { name: 'DC-8GHZ-30DB-0.1DB', maxDb: 30, stepDb: 0.1, digits: 2 },
];

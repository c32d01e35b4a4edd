/** A person's own crash as a part of the address. */
import { isPlatform, MACHINE_BOUNDS } from '../../../config/targets';
import type { OwnCrash } from '../../../estimate/own_crash';
import { boundsOf, type Field as Setting } from '../../../training/fields';
import { SETTINGS } from '../../../training/settings_table';

type Numbers = Exclude<keyof OwnCrash, 'place'>;

interface Bounds {
  readonly min: number;
  readonly max: number;
  /** Of whole numbers. */
  readonly step?: 1;
}

function wholeOf(setting: Setting<number>): Bounds {
  const { min = 0, max = Infinity } = boundsOf(setting);
  return { min, max, step: 1 };
}

/** Of the numbers of a crash; what is a key of the trainer has its bounds. */
export const CRASH_BOUNDS: Readonly<Record<Numbers, Bounds>> = {
  ramGiB: { min: 1, max: MACHINE_BOUNDS.ramGiB.max },
  batch: wholeOf(SETTINGS.batch),
  workers: wholeOf(SETTINGS.workers),
  afterBatches: { min: 0, max: 1e7, step: 1 },
};

/** Names in the address. */
const NUMBERS = {
  ramGiB: 'ram',
  batch: 'batch',
  workers: 'workers',
  afterBatches: 'died',
} as const satisfies Record<Numbers, string>;

export const queryOf = (own: OwnCrash): string =>
  new URLSearchParams([
    ['on', own.place],
    ...Object.entries(NUMBERS).map(([key, name]) => [name, String(own[key as keyof typeof NUMBERS])]),
  ]).toString();

/** Undefined where the query is of no crash, or has a number that is out of bounds. */
export function ownFrom(query: string): OwnCrash | undefined {
  const given = new URLSearchParams(query);
  const place = given.get('on') ?? '';
  const number = (key: keyof typeof NUMBERS): number => {
    const { min, max, step } = CRASH_BOUNDS[key];
    const value = Number(given.get(NUMBERS[key]) ?? NaN);
    return value >= min && value <= max && (step === undefined || Number.isInteger(value)) ? value : NaN;
  };
  const own = {
    ramGiB: number('ramGiB'),
    batch: number('batch'),
    workers: number('workers'),
    afterBatches: number('afterBatches'),
  };
  return isPlatform(place) && Object.values(own).every((value) => !Number.isNaN(value))
    ? { place, ...own }
    : undefined;
}

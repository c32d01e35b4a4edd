/** A person's own crash as a part of the address. */
import { isPlatform } from '../../../config/targets';
import type { OwnCrash } from '../../../estimate/own_crash';

/** Names in the address, with their bounds. */
const NUMBERS = {
  ramGiB: ['ram', 1, 4096],
  batch: ['batch', 1, 512],
  workers: ['workers', 0, 64],
  afterBatches: ['died', 0, 1e7],
} as const satisfies Record<Exclude<keyof OwnCrash, 'place'>, readonly [string, number, number]>;

export const queryOf = (own: OwnCrash): string =>
  new URLSearchParams([
    ['on', own.place],
    ...Object.entries(NUMBERS).map(([key, [name]]) => [name, String(own[key as keyof typeof NUMBERS])]),
  ]).toString();

/** Undefined where the query is of no crash, or has a number that is out of bounds. */
export function ownFrom(query: string): OwnCrash | undefined {
  const given = new URLSearchParams(query);
  const place = given.get('on') ?? '';
  const number = (key: keyof typeof NUMBERS): number => {
    const [name, min, max] = NUMBERS[key];
    const value = Number(given.get(name) ?? NaN);
    const whole = key === 'ramGiB' || Number.isInteger(value);
    return value >= min && value <= max && whole ? value : NaN;
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

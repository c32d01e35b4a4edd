/**
 * Plausible scalp EEG from a seed: enough like the real thing that a detector has to find rhythms that evolve and spread
 * instead of anything that is loud. What is put together:
 *
 * - background: noise of power 1/f from sources spread over the scalp, and a little of each electrode's own;
 * - alpha: 8.5 to 11 Hz over the back of the head, waxing and waning;
 * - blinks over the forehead, line noise, and electrode pops that decay;
 * - seizures: a rhythm that starts at one electrode, small and fast, grows, slows from about 9 to 3 Hz, gains harmonics,
 *   spreads over the scalp and stops; then slow, flattened activity.
 *
 * Amplitudes and frequencies are those that textbooks give (Niedermeyer's Electroencephalography, 6th edition).
 */
import { Random } from '../../base/random';
import { CHANNELS, type Channel } from '../signal/montage';
import { DIRECTIONS } from '../signal/spline';

export interface SyntheticSettings {
  readonly seed: number;
  /** Seconds. */
  readonly duration: number;
  /** How many; as many as fit with half a minute around each. */
  readonly seizures: number;
  /** Share of a seizure's amplitude with which it starts; ONSET where it is left out. */
  readonly onset?: number | undefined;
  /** Hz. */
  readonly rate: number;
  /** 50 or 60 Hz. */
  readonly lineFrequency: number;
}

export interface SyntheticSeizure {
  /** Seconds. */
  readonly start: number;
  readonly stop: number;
  readonly focus: Channel;
}

export interface SyntheticRecording {
  /** µV, in the order of CHANNELS. */
  readonly signals: readonly Float32Array[];
  readonly rate: number;
  readonly duration: number;
  readonly seizures: readonly SyntheticSeizure[];
}

type Vector = readonly [number, number, number];

const SOURCES = 10;
/** Nearly hidden in the background, as the hardest of real ones. */
const ONSET = 0.15;
const BETWEEN_SEIZURES = 30;
const TAU = 2 * Math.PI;

/**
 * Makes up a recording of `duration` × `rate` samples a channel: background, alpha, artefacts, and seizures that spread from a
 * focus. The same settings give the same samples. Throws RangeError where the duration is no whole number of seconds up to a
 * week.
 */
export function generate(settings: SyntheticSettings): SyntheticRecording {
  const { seed, duration, rate } = settings;
  if (!(duration >= 1 && duration <= 86_400 * 7 && Number.isInteger(duration)))
    throw new RangeError(
      `a synthetic recording lasts a whole number of seconds up to a week; not ${duration}`,
    );
  const random = new Random(seed, 'synthetic EEG');
  const samples = duration * rate;
  const seizures = placeSeizures(settings, random.stream('seizures'));
  const gains = attenuation(samples, rate, seizures);
  const signals = CHANNELS.map(() => new Float32Array(samples));
  addBackground(signals, gains, random.stream('background'));
  addAlpha(signals, gains, rate, random.stream('alpha'));
  addArtefacts(signals, settings, random.stream('artefacts'));
  for (const [i, seizure] of seizures.entries())
    addSeizure(signals, settings, seizure, random.stream(`seizure ${i}`));
  return { signals, rate, duration, seizures };
}

/** Cosine of the angle between two electrodes: 1 for the same, 0 for a quarter of the head apart. */
const closeness = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** Radians between two electrodes. */
const angleBetween = (a: Vector, b: Vector): number => Math.acos(Math.min(1, Math.max(-1, closeness(a, b))));

/** Strength at so many radians from the centre of something; `width` in radians. */
const strengthAt = (angle: number, width: number): number => Math.exp(-0.5 * (angle / width) ** 2);

/** Strength at an electrode of something that is centred at another, `width` in radians. */
const reach = (from: Vector, to: Vector, width: number): number => strengthAt(angleBetween(from, to), width);

function placeSeizures({ duration, seizures }: SyntheticSettings, random: Random): SyntheticSeizure[] {
  const share = duration / Math.max(1, seizures);
  const placed: SyntheticSeizure[] = [];
  for (let i = 0; i < seizures; i++) {
    const length = Math.round(random.uniform(20, 75));
    const room = share - length - BETWEEN_SEIZURES;
    if (room < 0) continue;
    const start = Math.round(i * share + BETWEEN_SEIZURES / 2 + random.uniform(0, room));
    const focus = CHANNELS[random.integer(CHANNELS.length)] ?? 'T3';
    placed.push({ start, stop: start + length, focus });
  }
  return placed;
}

/** What is left of the background: less within a seizure, and for a while after it. */
function attenuation(samples: number, rate: number, seizures: readonly SyntheticSeizure[]): Float32Array {
  const gains = new Float32Array(samples).fill(1);
  for (const { start, stop } of seizures)
    for (let i = start * rate; i < Math.min(samples, (stop + 40) * rate); i++) {
      const since = i / rate - stop;
      gains[i] = since < 0 ? 0.6 : 1 - 0.6 * Math.exp(-since / 15);
    }
  return gains;
}

/** `count` samples of noise of power 1/f by seven first-order filters (Paul Kellet's), with deviation of about 1. */
function pinkNoise(random: Random, count: number): Float64Array {
  const noise = new Float64Array(count);
  let [a, b, c, d, e, f, last] = [0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const white = random.normal();
    a = 0.99886 * a + 0.0555179 * white;
    b = 0.99332 * b + 0.0750759 * white;
    c = 0.969 * c + 0.153852 * white;
    d = 0.8665 * d + 0.3104856 * white;
    e = 0.55 * e + 0.5329522 * white;
    f = -0.7616 * f + -0.016898 * white;
    noise[i] = (last + 0.5362 * white + a + b + c + d + e + f) * 0.6;
    last = 0.115926 * white;
  }
  return noise;
}

function randomDirection(random: Random): Vector {
  const [x, y, z] = [random.normal(), random.normal(), Math.abs(random.normal())];
  const length = Math.hypot(x, y, z) || 1;
  return [x / length, y / length, z / length];
}

function addBackground(signals: readonly Float32Array[], gains: Float32Array, random: Random): void {
  for (let source = 0; source < SOURCES; source++) {
    const stream = random.stream(`source ${source}`);
    const centre = randomDirection(stream);
    const weights = CHANNELS.map((channel) => 16 * reach(centre, DIRECTIONS[channel], 0.8));
    const noise = pinkNoise(stream, gains.length);
    addWeighted(
      signals,
      weights,
      gains.map((gain, i) => gain * (noise[i] as number)),
    );
  }
  for (let c = 0; c < signals.length; c++) {
    const signal = signals[c] as Float32Array;
    const own = pinkNoise(random.stream(`electrode ${c}`), signal.length);
    for (let i = 0; i < signal.length; i++) signal[i] = (signal[i] as number) + 4 * (own[i] as number);
  }
}

function addAlpha(signals: readonly Float32Array[], gains: Float32Array, rate: number, random: Random): void {
  const centre = DIRECTIONS.Pz;
  const frequency = random.uniform(8.5, 11);
  const weights = CHANNELS.map(
    (channel) => 22 * reach([centre[0], -0.95, 0.3], DIRECTIONS[channel], 0.6) * random.uniform(0.8, 1.2),
  );
  let phase = 0;
  let envelope = 0;
  const values = gains.map((gain, i) => {
    phase += (TAU * (frequency + 0.4 * Math.sin(i / (rate * 1.7)))) / rate;
    // Slow noise, so that the rhythm comes and goes within seconds.
    envelope += (random.normal() * 1.2 - envelope) / rate;
    return Math.sin(phase) * Math.min(1.5, Math.abs(envelope) * 12) * gain;
  });
  addWeighted(signals, weights, values);
}

function addArtefacts(
  signals: readonly Float32Array[],
  { rate, duration, lineFrequency }: SyntheticSettings,
  random: Random,
): void {
  const samples = duration * rate;
  const eyes: Vector = [0, 0.98, -0.2];
  const forehead = CHANNELS.map((channel) => reach(eyes, DIRECTIONS[channel], 0.45));
  for (let at = random.uniform(1, 6); at < duration - 1; at += random.uniform(2, 9)) {
    const [height, length] = [random.uniform(60, 150), random.uniform(0.2, 0.4)];
    for (let k = 0; k < length * rate; k++) {
      const value = height * Math.sin((Math.PI * k) / (length * rate)) ** 2;
      for (let c = 0; c < forehead.length; c++)
        add(signals, c, Math.floor(at * rate) + k, (forehead[c] as number) * value);
    }
  }
  for (const signal of signals) {
    const [height, phase] = [random.uniform(0.5, 5), random.uniform(0, TAU)];
    for (let i = 0; i < samples; i++)
      signal[i] = (signal[i] as number) + height * Math.sin((TAU * lineFrequency * i) / rate + phase);
  }
  for (let at = random.uniform(5, 90); at < duration; at += random.uniform(30, 180)) {
    const electrode = random.integer(signals.length);
    const height = random.uniform(50, 200) * (random.uniform() < 0.5 ? -1 : 1);
    for (let k = 0; k < 2 * rate && at * rate + k < samples; k++)
      add(signals, electrode, Math.floor(at * rate) + k, height * Math.exp(-k / (0.3 * rate)));
  }
}

function addSeizure(
  signals: readonly Float32Array[],
  { rate, onset = ONSET }: SyntheticSettings,
  { start, stop, focus }: SyntheticSeizure,
  random: Random,
): void {
  const count = Math.round((stop - start) * rate);
  const [fast, slow] = [random.uniform(7.5, 10.5), random.uniform(2.5, 3.5)];
  const height = random.uniform(70, 160);
  const widest = random.uniform(0.7, 1.8);
  const angles = CHANNELS.map((channel) => angleBetween(DIRECTIONS[focus], DIRECTIONS[channel]));
  const lags = CHANNELS.map((channel) => 0.6 * (1 - closeness(DIRECTIONS[focus], DIRECTIONS[channel])));
  let phase = random.uniform(0, TAU);
  for (let k = 0; k < count; k++) {
    const progress = k / count;
    phase += (TAU * (slow + (fast - slow) * (1 - progress) ** 1.5) * (1 + 0.02 * random.normal())) / rate;
    const growth = Math.min(1, onset + 1.2 * progress) * Math.min(1, (count - k) / (0.3 * rate));
    const harmonic = 0.7 * progress;
    const width = 0.35 + widest * progress;
    for (let c = 0; c < signals.length; c++) {
      const strength = strengthAt(angles[c] as number, width);
      const lagged = phase - (lags[c] as number);
      const value = Math.sin(lagged) + harmonic * Math.sin(2 * lagged + 0.7);
      add(signals, c, start * rate + k, height * growth * strength * value);
    }
  }
}

function addWeighted(
  signals: readonly Float32Array[],
  weights: readonly number[],
  values: Float32Array,
): void {
  for (const [c, signal] of signals.entries()) {
    const weight = weights[c] as number;
    for (let i = 0; i < signal.length; i++)
      signal[i] = (signal[i] as number) + weight * (values[i] as number);
  }
}

function add(signals: readonly Float32Array[], channel: number, at: number, value: number): void {
  const signal = signals[channel];
  if (signal && at < signal.length) signal[at] = (signal[at] as number) + value;
}

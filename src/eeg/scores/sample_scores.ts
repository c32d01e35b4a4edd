/** Scores of samples: area under the ROC curve, average precision, calibration error. */

/** Ranked at most: 2³¹ samples are 97 days at 256 Hz, and 8 GiB. */
const MAX_SAMPLES = 2 ** 31 - 1;
const BINS = 10;

/** A probability's float32 bits rise with it, and leave two bits free up to 1: room for the label. */
const LABEL = 1;

export interface SampleScores {
  /** Share of pairs of a seizure's and a background sample that are ranked right, ties counting half. */
  readonly auroc: number | undefined;
  /** Σ (Rₙ − Rₙ₋₁) Pₙ over the distinct probabilities from the highest down, not interpolated. */
  readonly averagePrecision: number | undefined;
  /** Σ over ten equal bins of (share of samples) · |mean probability − share of seizure samples|. */
  readonly calibrationError: number;
  readonly samples: number;
  readonly seizureSamples: number;
}

/**
 * Collects samples and scores them exactly, as scikit-learn's roc_auc_score and average_precision_score do, in four
 * bytes a sample: each becomes one 32-bit key, its probability's bits with the label below them, sorted in place.
 */
export class SampleScorer {
  readonly #keys: Uint32Array;
  #count = 0;
  readonly #binSamples = new Float64Array(BINS);
  readonly #binProbability = new Float64Array(BINS);
  readonly #binSeizures = new Float64Array(BINS);

  /** `samples`: how many will come at most. */
  constructor(samples: number) {
    if (!Number.isSafeInteger(samples) || samples < 0 || samples > MAX_SAMPLES)
      throw new RangeError(`the samples to score are a whole number up to ${MAX_SAMPLES}; it is ${samples}`);
    this.#keys = new Uint32Array(samples);
  }

  /** `probabilities` and `labels` (0: background), both [samples] of one recording or of a part of it. */
  add(probabilities: Float32Array, labels: Uint8Array): void {
    if (probabilities.length !== labels.length)
      throw new RangeError(`${probabilities.length} probabilities come with ${labels.length} labels`);
    if (this.#count + labels.length > this.#keys.length)
      throw new RangeError(`more samples than the ${this.#keys.length} that were announced`);
    const bits = new Uint32Array(1);
    const float = new Float32Array(bits.buffer);
    for (let i = 0; i < labels.length; i++) {
      const probability = probabilities[i] as number;
      // A NaN is not within any bounds. Adding 0 makes -0 a 0.
      if (!(probability >= 0 && probability <= 1))
        throw new RangeError(`sample ${i} has the probability ${probability}; probabilities are 0 to 1`);
      const seizure = labels[i] === 0 ? 0 : LABEL;
      float[0] = probability + 0;
      this.#keys[this.#count++] = ((bits[0] as number) << 1) | seizure;
      // Bins are open below and closed above (Guo et al. 2017, https://arxiv.org/abs/1706.04599), the first one holds 0.
      const bin = Math.max(0, Math.ceil(probability * BINS) - 1);
      (this.#binSamples[bin] as number)++;
      (this.#binProbability[bin] as number) += probability;
      (this.#binSeizures[bin] as number) += seizure;
    }
  }

  /** The scores of all samples so far. Where one class is missing, ranking means nothing and is undefined. */
  scores(): SampleScores {
    const keys = this.#keys.subarray(0, this.#count).sort();
    const seizureSamples = this.#binSeizures.reduce((sum, count) => sum + count, 0);
    const background = this.#count - seizureSamples;
    let rightPairs = 0;
    let precision = 0;
    let seizuresAbove = 0;
    let backgroundAbove = 0;
    for (let end = keys.length; end > 0;) {
      const bits = (keys[end - 1] as number) >>> 1;
      let seizures = 0;
      let start = end;
      for (; start > 0 && (keys[start - 1] as number) >>> 1 === bits; start--)
        seizures += (keys[start - 1] as number) & LABEL;
      const others = end - start - seizures;
      rightPairs += others * (seizuresAbove + seizures / 2);
      seizuresAbove += seizures;
      backgroundAbove += others;
      precision += seizures * (seizuresAbove / (seizuresAbove + backgroundAbove));
      end = start;
    }
    return {
      auroc: seizureSamples > 0 && background > 0 ? rightPairs / (seizureSamples * background) : undefined,
      averagePrecision: seizureSamples > 0 ? precision / seizureSamples : undefined,
      calibrationError: this.#calibrationError(),
      samples: this.#count,
      seizureSamples,
    };
  }

  #calibrationError(): number {
    let error = 0;
    for (let bin = 0; bin < BINS; bin++)
      error += Math.abs((this.#binProbability[bin] as number) - (this.#binSeizures[bin] as number));
    return this.#count > 0 ? error / this.#count : 0;
  }
}

/**
 * Discrete Fourier transforms of any length, in float64. Lengths whose prime factors are at most 31 go through a Stockham
 * autosort transform of mixed radix (Van Loan 1992, "Computational Frameworks for the FFT", section 1.7); the rest of
 * others, where such factors are divided out, through Bluestein's convolution (Bluestein 1970) of a power of two. Recordings
 * have lengths such as 250·N with N seconds: powers of two alone do not do, and one convolution of the whole length would take
 * several times the memory.
 */

const LARGEST_RADIX = 31;

export class Fft {
  readonly #radices: readonly number[];
  /** Of what is left when the radices are divided out; null where that is 1. */
  readonly #bluestein: Bluestein | null;
  readonly #roots: Roots;

  constructor(readonly length: number) {
    if (!Number.isSafeInteger(length) || length < 1)
      throw new RangeError(`a transform has a whole length above zero; it is ${length}`);
    const { radices, rest } = factor(length);
    this.#radices = radices;
    this.#bluestein = rest === 1 ? null : new Bluestein(rest);
    this.#roots = new Roots(length);
  }

  /** X_k = Σ x_j exp(−2πi jk / n), in place; `re` and `im` [length]. */
  forward(re: Float64Array, im: Float64Array): void {
    if (re.length !== this.length || im.length !== this.length)
      throw new RangeError(`a transform of ${this.length} got ${re.length} and ${im.length} values`);
    this.#stockham(re, im);
  }

  /** The inverse of `forward`, times the length. */
  backward(re: Float64Array, im: Float64Array): void {
    this.forward(im, re);
  }

  #stockham(re: Float64Array, im: Float64Array): void {
    let from: Complex = { re, im };
    let to: Complex = { re: new Float64Array(this.length), im: new Float64Array(this.length) };
    let length = this.length;
    let stride = 1;
    for (const radix of this.#radices) {
      const pass = radix === 4 ? pass4 : radix === 2 ? pass2 : passAny;
      pass(from, to, length / radix, stride, radix, this.#roots);
      length /= radix;
      stride *= radix;
      [from, to] = [to, from];
    }
    if (this.#bluestein) {
      const [a, b] = [new Float64Array(length), new Float64Array(length)];
      for (let q = 0; q < stride; q++) {
        for (let p = 0; p < length; p++) {
          a[p] = from.re[q + stride * p] ?? 0;
          b[p] = from.im[q + stride * p] ?? 0;
        }
        this.#bluestein.forward(a, b);
        for (let k = 0; k < length; k++) {
          from.re[q + stride * k] = a[k] ?? 0;
          from.im[q + stride * k] = b[k] ?? 0;
        }
      }
    }
    if (from.re !== re) {
      re.set(from.re);
      im.set(from.im);
    }
  }
}

interface Complex {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/** exp(−2πi k / n) for any k in [0, n), from two tables of about √n entries: two roundings instead of n sines. */
class Roots {
  readonly #bits: number;
  readonly #mask: number;
  readonly #fine: Complex;
  readonly #coarse: Complex;
  /** The result of `at`. */
  re = 1;
  im = 0;

  constructor(readonly length: number) {
    this.#bits = Math.ceil(Math.log2(length + 1) / 2);
    this.#mask = (1 << this.#bits) - 1;
    const table = (count: number, step: number): Complex => ({
      re: Float64Array.from({ length: count }, (_, i) => Math.cos((2 * Math.PI * i * step) / length)),
      im: Float64Array.from({ length: count }, (_, i) => -Math.sin((2 * Math.PI * i * step) / length)),
    });
    this.#fine = table(1 << this.#bits, 1);
    this.#coarse = table((length >> this.#bits) + 1, 1 << this.#bits);
  }

  at(k: number): void {
    const fine = k & this.#mask;
    const coarse = k >> this.#bits;
    const a = this.#fine.re[fine] ?? 0;
    const b = this.#fine.im[fine] ?? 0;
    const c = this.#coarse.re[coarse] ?? 0;
    const d = this.#coarse.im[coarse] ?? 0;
    this.re = a * c - b * d;
    this.im = a * d + b * c;
  }
}

/** Radices, fours first, and what of `length` they leave: the product of its prime factors that are too large. */
function factor(length: number): { readonly radices: readonly number[]; readonly rest: number } {
  const radices: number[] = [];
  let rest = length;
  for (const radix of [4, 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, LARGEST_RADIX])
    while (rest % radix === 0) {
      radices.push(radix);
      rest /= radix;
    }
  return { radices, rest };
}

/**
 * One pass of decimation in frequency: with m = n / r,
 * y[q + s(r p + j)] = (Σ_k x[q + s(p + m k)] exp(−2πi jk / r)) · exp(−2πi pj / n), p in [0, m), q in [0, s).
 */
type Pass = (from: Complex, to: Complex, m: number, s: number, r: number, roots: Roots) => void;

const pass2: Pass = (from, to, m, s, _, roots) => {
  const { re: xr, im: xi } = from;
  const { re: yr, im: yi } = to;
  for (let p = 0; p < m; p++) {
    roots.at(p * s);
    const { re: wr, im: wi } = roots;
    for (let q = 0; q < s; q++) {
      const i = q + s * p;
      const k = i + s * m;
      const o = q + 2 * s * p;
      const ar = xr[i] ?? 0;
      const ai = xi[i] ?? 0;
      const br = xr[k] ?? 0;
      const bi = xi[k] ?? 0;
      yr[o] = ar + br;
      yi[o] = ai + bi;
      const dr = ar - br;
      const di = ai - bi;
      yr[o + s] = dr * wr - di * wi;
      yi[o + s] = dr * wi + di * wr;
    }
  }
};

const pass4: Pass = (from, to, m, s, _, roots) => {
  const { re: xr, im: xi } = from;
  const { re: yr, im: yi } = to;
  const block = s * m;
  for (let p = 0; p < m; p++) {
    roots.at(p * s);
    const { re: w1r, im: w1i } = roots;
    const w2r = w1r * w1r - w1i * w1i;
    const w2i = 2 * w1r * w1i;
    const w3r = w1r * w2r - w1i * w2i;
    const w3i = w1r * w2i + w1i * w2r;
    for (let q = 0; q < s; q++) {
      const i = q + s * p;
      const o = q + 4 * s * p;
      const ar = xr[i] ?? 0;
      const ai = xi[i] ?? 0;
      const br = xr[i + block] ?? 0;
      const bi = xi[i + block] ?? 0;
      const cr = xr[i + 2 * block] ?? 0;
      const ci = xi[i + 2 * block] ?? 0;
      const dr = xr[i + 3 * block] ?? 0;
      const di = xi[i + 3 * block] ?? 0;
      const acr = ar + cr;
      const aci = ai + ci;
      const bdr = br + dr;
      const bdi = bi + di;
      // (a − c) − i(b − d) and (a − c) + i(b − d)
      const er = ar - cr + (bi - di);
      const ei = ai - ci - (br - dr);
      const fr = ar - cr - (bi - di);
      const fi = ai - ci + (br - dr);
      yr[o] = acr + bdr;
      yi[o] = aci + bdi;
      yr[o + s] = er * w1r - ei * w1i;
      yi[o + s] = er * w1i + ei * w1r;
      yr[o + 2 * s] = (acr - bdr) * w2r - (aci - bdi) * w2i;
      yi[o + 2 * s] = (acr - bdr) * w2i + (aci - bdi) * w2r;
      yr[o + 3 * s] = fr * w3r - fi * w3i;
      yi[o + 3 * s] = fr * w3i + fi * w3r;
    }
  }
};

const passAny: Pass = (from, to, m, s, r, roots) => {
  const { re: xr, im: xi } = from;
  const { re: yr, im: yi } = to;
  const block = s * m;
  const half = (r - 1) / 2;
  const cos = Float64Array.from({ length: r }, (_, k) => Math.cos((2 * Math.PI * k) / r));
  const sin = Float64Array.from({ length: r }, (_, k) => Math.sin((2 * Math.PI * k) / r));
  const wr = new Float64Array(r);
  const wi = new Float64Array(r);
  // Sums and differences of the pairs k and r − k: half the products.
  const sr = new Float64Array(half + 1);
  const si = new Float64Array(half + 1);
  const dr = new Float64Array(half + 1);
  const di = new Float64Array(half + 1);
  for (let p = 0; p < m; p++) {
    for (let j = 0; j < r; j++) {
      roots.at(p * j * s);
      wr[j] = roots.re;
      wi[j] = roots.im;
    }
    for (let q = 0; q < s; q++) {
      const i = q + s * p;
      const o = q + r * s * p;
      const ar = xr[i] ?? 0;
      const ai = xi[i] ?? 0;
      let totalR = ar;
      let totalI = ai;
      for (let k = 1; k <= half; k++) {
        const br = xr[i + k * block] ?? 0;
        const bi = xi[i + k * block] ?? 0;
        const cr = xr[i + (r - k) * block] ?? 0;
        const ci = xi[i + (r - k) * block] ?? 0;
        sr[k] = br + cr;
        si[k] = bi + ci;
        dr[k] = br - cr;
        di[k] = bi - ci;
        totalR += br + cr;
        totalI += bi + ci;
      }
      yr[o] = totalR;
      yi[o] = totalI;
      for (let j = 1; j <= half; j++) {
        let evenR = ar;
        let evenI = ai;
        let oddR = 0;
        let oddI = 0;
        for (let k = 1, jk = j; k <= half; k++) {
          evenR += (cos[jk] ?? 0) * (sr[k] ?? 0);
          evenI += (cos[jk] ?? 0) * (si[k] ?? 0);
          oddR += (sin[jk] ?? 0) * (di[k] ?? 0);
          oddI += (sin[jk] ?? 0) * (dr[k] ?? 0);
          jk += j;
          if (jk >= r) jk -= r;
        }
        const pr = evenR + oddR;
        const pi = evenI - oddI;
        const mr = evenR - oddR;
        const mi = evenI + oddI;
        const ur = wr[j] ?? 0;
        const ui = wi[j] ?? 0;
        const vr = wr[r - j] ?? 0;
        const vi = wi[r - j] ?? 0;
        yr[o + j * s] = pr * ur - pi * ui;
        yi[o + j * s] = pr * ui + pi * ur;
        yr[o + (r - j) * s] = mr * vr - mi * vi;
        yi[o + (r - j) * s] = mr * vi + mi * vr;
      }
    }
  }
};

/** X_k = c_k Σ_j (x_j c_j) conj(c_{k−j}) with the chirp c_j = exp(−πi j² / n): a convolution, done by powers of two. */
class Bluestein {
  readonly #chirp: Complex;
  readonly #kernel: Complex;
  readonly #fft: Fft;

  constructor(readonly length: number) {
    const padded = 2 ** Math.ceil(Math.log2(2 * length - 1));
    this.#fft = new Fft(padded);
    this.#chirp = { re: new Float64Array(length), im: new Float64Array(length) };
    this.#kernel = { re: new Float64Array(padded), im: new Float64Array(padded) };
    for (let j = 0, square = 0; j < length; j++) {
      // j² modulo 2n, kept small so that the angle stays exact.
      const angle = (Math.PI * square) / length;
      square = (square + 2 * j + 1) % (2 * length);
      this.#chirp.re[j] = Math.cos(angle);
      this.#chirp.im[j] = -Math.sin(angle);
      for (const at of [j, (padded - j) % padded]) {
        this.#kernel.re[at] = Math.cos(angle) / padded;
        this.#kernel.im[at] = Math.sin(angle) / padded;
      }
    }
    this.#fft.forward(this.#kernel.re, this.#kernel.im);
  }

  forward(re: Float64Array, im: Float64Array): void {
    const { re: cr, im: ci } = this.#chirp;
    const { re: kr, im: ki } = this.#kernel;
    const xr = new Float64Array(kr.length);
    const xi = new Float64Array(kr.length);
    multiply(re, im, cr, ci, xr, xi);
    this.#fft.forward(xr, xi);
    multiply(xr, xi, kr, ki, xr, xi);
    this.#fft.backward(xr, xi);
    multiply(xr, xi, cr, ci, re, im);
  }
}

/** Elementwise over as many elements as the second factor has; the result may be the first factor's arrays. */
function multiply(
  ar: Float64Array,
  ai: Float64Array,
  br: Float64Array,
  bi: Float64Array,
  outR: Float64Array,
  outI: Float64Array,
): void {
  for (let i = 0; i < br.length; i++) {
    const xr = ar[i] ?? 0;
    const xi = ai[i] ?? 0;
    const yr = br[i] ?? 0;
    const yi = bi[i] ?? 0;
    outR[i] = xr * yr - xi * yi;
    outI[i] = xr * yi + xi * yr;
  }
}

/**
 * PyTorch's eager forward pass and its autograd engine on a tape, seen from the allocator. Backward nodes run in reverse
 * order of creation (torch/csrc/autograd/engine.cpp: the ready queue takes the highest sequence number first); a node's
 * saved tensors are released after it has run (`release_variables`); a second gradient for the same tensor is added in
 * place where nothing else looks at the first (torch/csrc/autograd/input_buffer.cpp, `accumulate`). On a CPU, PyTorch's
 * profiler sees the same peaks (tests/unit/estimate/vram_trace.test.ts).
 */
import type { SegmentOf } from '../../engine/recompute';
import type { Phase, Storage, Use, Writer } from './events';
import type { Library, Size, Tape, TorchOp, Value } from './tape';

interface Gradient {
  readonly storage: number;
  readonly slice: boolean;
}

/** What a thread allocates when it first uses a library. */
export type FirstRun = Partial<Readonly<Record<Library, Size>>>;

export class AutogradRun {
  readonly #tape: Tape;
  readonly #writer: Writer;
  readonly #segments: readonly (string | undefined)[];
  /** How many references a storage has; it is freed with the last. */
  readonly #references = new Map<number, number>();
  /** Where a value lies now. */
  readonly #at = new Map<Value, number>();
  /** Values saved by a backward node to come: how often. */
  readonly #saved: ReadonlySet<Value>;
  readonly #lastRead = new Map<Value, number>();
  /** For each segment, what it reads from outside: kept in place of what it computes. */
  readonly #entering = new Map<string, Set<Value>>();
  readonly #gradients = new Map<Value, Gradient>();
  /** `.grad` of each parameter. */
  readonly #parameterGradients = new Map<Value, number>();
  /** What the loop's variables hold: the logits, the loss. */
  #results: number[] = [];
  /** What was saved, by the index of its operation. */
  readonly #kept = new Map<number, readonly number[]>();

  constructor(tape: Tape, writer: Writer, segmentOf?: SegmentOf) {
    this.#tape = tape;
    this.#writer = writer;
    this.#segments = tape.ops.map(({ label }) => segmentOf?.(label));
    this.#saved = new Set(tape.ops.flatMap(({ saves }) => saves));
    const makers = new Map<Value, number>();
    tape.ops.forEach((op, index) => {
      for (const value of op.writes) makers.set(value, index);
      for (const value of [...op.reads, ...op.writes]) this.#lastRead.set(value, index);
      const segment = this.#segments[index];
      if (segment === undefined) return;
      const entering = this.#entering.get(segment) ?? new Set();
      this.#entering.set(segment, entering);
      for (const value of op.reads) {
        const maker = makers.get(value);
        if (maker !== undefined && this.#segments[maker] !== segment) entering.add(value);
      }
    });
  }

  /** `zero_grad(set_to_none=True)`, the default since 2.0. */
  zeroGradients(): void {
    if (this.#parameterGradients.size === 0) return;
    this.#writer.start('optimizer step', 'optimizer', 'zero_grad');
    for (const storage of this.#parameterGradients.values()) this.#drop(storage);
    this.#parameterGradients.clear();
  }

  forward(first: FirstRun): void {
    const { ops, logits, loss } = this.#tape;
    const results: number[] = [];
    const casts: number[] = [];
    const pending = { ...first };
    ops.forEach((op, index) => {
      this.#start('forward', op);
      this.#firstRun(op, pending);
      const segment = this.#segments[index];
      this.#compute(op, casts);
      if (segment === undefined) this.#keep(op, index);
      else if (this.#segments[index - 1] !== segment)
        for (const value of this.#entering.get(segment) ?? []) this.#hold(this.#where(value));
      for (const value of op.writes)
        if (value === logits || value === loss) results.push(this.#hold(this.#where(value)));
      this.#leave(op, index);
    });
    // Autocast's cache of weights ends with its context; variables of the last step are overwritten.
    for (const storage of [...casts, ...this.#results]) this.#drop(storage);
    this.#results = results;
  }

  backward(first: FirstRun): void {
    const { ops, loss } = this.#tape;
    this.#writer.start('backward', loss.layer, 'gradient of the loss');
    this.#gradients.set(loss, { storage: this.#gradientStorage(loss), slice: false });
    const pending = { ...first };
    for (let index = ops.length - 1; index >= 0; index--) {
      const segment = this.#segments[index];
      if (segment !== undefined && this.#segments[index + 1] !== segment) this.#recompute(segment, index);
      const op = ops[index] as TorchOp;
      this.#start('backward', op);
      this.#firstRun(op, pending);
      this.#differentiate(op);
      for (const storage of this.#kept.get(index) ?? []) this.#drop(storage);
      this.#kept.delete(index);
      if (segment !== undefined && this.#segments[index - 1] !== segment)
        for (const value of this.#entering.get(segment) ?? []) this.#drop(this.#where(value));
    }
  }

  /** The segment of the forward pass that ends at `last`, now with what it saves. */
  #recompute(segment: string, last: number): void {
    let first = last;
    while (this.#segments[first - 1] === segment) first--;
    const before = new Map(this.#at);
    const casts: number[] = [];
    const computed = new Set<Value>();
    for (let index = first; index <= last; index++) {
      const op = this.#tape.ops[index] as TorchOp;
      this.#writer.start('backward', op.layer, `${op.name}, again`);
      this.#compute(op, casts);
      this.#keep(op, index);
      for (const value of op.writes) if (value.role === 'activation') computed.add(value);
      for (const value of computed)
        if (index === last || this.#lastRead.get(value) === index) {
          this.#drop(this.#where(value));
          computed.delete(value);
        }
    }
    for (const storage of casts) this.#drop(storage);
    for (const [value, storage] of before) this.#at.set(value, storage);
  }

  /** Allocates what an operation writes, with its scratch around it. */
  #compute(op: TorchOp, casts: number[]): void {
    for (const value of op.writes) {
      const use = this.#saved.has(value) ? 'saved' : 'temporaries';
      const storage = this.#allocate(value.name, op.layer, value.role === 'cast' ? 'casts' : use, value.size);
      this.#at.set(value, storage);
      if (value.role === 'cast') casts.push(storage);
    }
    for (const storage of this.#scratch(op, op.scratch)) this.#drop(storage);
  }

  #keep(op: TorchOp, index: number): void {
    const kept = op.saves.filter(({ role }) => role === 'activation' || role === 'cast');
    this.#kept.set(
      index,
      kept.map((value) => this.#hold(this.#where(value))),
    );
  }

  /** Variables of the forward pass go out of scope. */
  #leave(op: TorchOp, index: number): void {
    for (const value of new Set([...op.reads, ...op.writes]))
      if (value.role === 'activation' && this.#lastRead.get(value) === index) this.#drop(this.#where(value));
  }

  #differentiate(op: TorchOp): void {
    const { of, scratch, gradients } = op.backward;
    const given = this.#gradients.get(of);
    this.#gradients.delete(of);
    if (!given) return;
    const throughout = this.#scratch(op, scratch);
    const computed = gradients.map(({ of: value, memory, scratch: own }): readonly [Value, Gradient] => {
      const during = this.#scratch(op, own);
      const gradient =
        memory === 'new'
          ? { storage: this.#gradientStorage(value), slice: false }
          : { storage: this.#hold(given.storage), slice: memory === 'slice' || given.slice };
      for (const storage of during) this.#drop(storage);
      return [value, gradient];
    });
    for (const storage of throughout) this.#drop(storage);
    this.#drop(given.storage);
    for (const [value, gradient] of computed) this.#deliver(value, gradient);
  }

  #deliver(value: Value, gradient: Gradient): void {
    if (value.role === 'parameter') {
      // `AccumulateGrad` takes the first gradient as it is and adds later ones in place.
      if (this.#parameterGradients.has(value)) this.#drop(gradient.storage);
      else this.#parameterGradients.set(value, gradient.storage);
      return;
    }
    const known = this.#gradients.get(value);
    if (!known) {
      this.#gradients.set(value, gradient);
      return;
    }
    const inPlace = !known.slice && this.#references.get(known.storage) === 1;
    if (!inPlace) {
      this.#gradients.set(value, { storage: this.#gradientStorage(value), slice: false });
      this.#drop(known.storage);
    }
    this.#drop(gradient.storage);
  }

  #gradientStorage({ name, layer, role, size }: Value): number {
    return this.#allocate(
      `gradient of ${name}`,
      layer,
      role === 'parameter' ? 'gradients' : 'temporaries',
      size,
    );
  }

  #scratch(op: TorchOp, scratch: TorchOp['scratch']): number[] {
    return scratch.map(({ name, size, workspace }) =>
      workspace
        ? this.#add({ name, layer: op.layer, use: 'workspace', size, workspace })
        : this.#allocate(name, op.layer, 'temporaries', size),
    );
  }

  #firstRun({ libraries }: TorchOp, pending: Partial<Record<Library, Size>>): void {
    if (pending.cublas && libraries.includes('cublas')) {
      this.#allocate('cuBLAS workspace', 'libraries', 'workspace', pending.cublas);
      delete pending.cublas;
    }
    if (pending.triton && libraries.includes('triton')) {
      this.#drop(this.#allocate('Triton’s cache flush', 'libraries', 'temporaries', pending.triton));
      delete pending.triton;
    }
  }

  #start(phase: Phase, { layer, name }: TorchOp): void {
    this.#writer.start(phase, layer, name);
  }

  #where(value: Value): number {
    const storage = this.#at.get(value);
    if (storage === undefined) throw new RangeError(`${value.name} of ${value.layer} has no memory`);
    return storage;
  }

  #allocate(name: string, layer: string, use: Use, size: Size): number {
    return this.#add({ name, layer, use, size });
  }

  #add(added: Storage): number {
    const storage = this.#writer.allocate(added);
    this.#references.set(storage, 1);
    return storage;
  }

  #hold(storage: number): number {
    this.#references.set(storage, (this.#references.get(storage) ?? 0) + 1);
    return storage;
  }

  #drop(storage: number): void {
    const holders = (this.#references.get(storage) ?? 0) - 1;
    if (holders < 0) throw new RangeError(`${this.#writer.storages[storage]?.name} is freed twice`);
    this.#references.set(storage, holders);
    if (holders === 0) this.#writer.free(storage);
  }
}

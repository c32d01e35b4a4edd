/**
 * The training loop of a sequence task. It needs a device and somebody to tell: it runs in the page's worker and
 * without a page. It waits for the GPU only (and for the end of a pause), never for a timer or an animation frame,
 * which browsers withhold from tabs in the background.
 */
import type { Device } from '../../engine/device';
import type { Tensor } from '../../engine/graph';
import { handled } from '../../base/handled';
import { Parameters } from '../../engine/packs';
import type { PackName } from '../../engine/graph';
import { planProgram, STAGING_SLOTS, type Plan } from '../../engine/plan';
import { Program } from '../../engine/program';
import { choiceFor, type TuneMemory } from '../../engine/tune';
import { initialise } from '../../models/initialise';
import { trainingBatch } from '../tasks/task';
import { RunControl } from '../../run/control';
import { isLost, NotFiniteError, toFailure } from '../../run/failure';
import { choosing, type Preparation } from '../../run/protocol';
import { Owned } from '../../run/owned';
import type { WaitForGpu } from '../../run/usable_device';
import { ProgressReporter } from '../../run/progress';
import { PreviewPace, SolvedRule } from './pace';
import { Previewer, previewGraph } from './preview';
import { METRICS, type MetricName, type RunEvent, type RunSettings } from './protocol';
import { planRun, resolveRun, trainingGraph, type Run, type TrainingGraph } from './sequence';

export interface TrainerOptions {
  readonly device: (wait: WaitForGpu) => Promise<Device>;
  readonly settings: RunSettings;
  readonly emit: (event: RunEvent) => void;
  /** Kernel variants are timed and kept here; without it they are the frozen ones. */
  readonly tuning?: TuneMemory | Promise<TuneMemory>;
  /** Ends the run earlier than the preset does. */
  readonly maxSteps?: number | undefined;
  /** Is shown the trained model before its memory is given back, unless the run failed. */
  readonly keep?: (parameters: Parameters) => Promise<void>;
}

const now = (): number => performance.now();

/** How often a run resumes after the GPU was lost. */
const MAX_RECOVERIES = 5;
/** Milliseconds of training after which its state is kept for that. */
const KEEP_INTERVAL = 5000;
const KEPT_PACKS = ['value', 'first_moment', 'second_moment'] as const satisfies readonly PackName[];

/** What the training is made of after a step: all else follows from the seed. */
interface Kept {
  readonly step: number;
  readonly packs: readonly (readonly [PackName, ReadonlyMap<string, Float32Array>])[];
  /** Evaluations in a row that were good. */
  readonly streak: number;
}

type Finished = Extract<RunEvent, { type: 'finished' }>;

/** Thrown to leave the preparations. */
class Stopped extends Error {}

/** What the loop works with. */
interface Session {
  readonly run: Run;
  readonly device: Device;
  readonly view: TrainingGraph;
  readonly program: Program;
  readonly previewer: Previewer;
  readonly parameters: Parameters;
  readonly metrics: ProgressReporter<MetricName>;
}

export class Trainer extends RunControl {
  #kept: Kept | undefined;
  /** Of training on GPUs that were lost. */
  #seconds = 0;

  constructor(private readonly options: TrainerOptions) {
    super();
  }

  /** Runs to the end. Never rejects: what goes wrong is the event `failed`. To be called once. */
  async run(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const owned = new Owned();
      let last: RunEvent;
      try {
        last = await this.#train(await this.#prepare(owned));
      } catch (error) {
        if (isLost(error) && !this.stopped && attempt <= MAX_RECOVERIES) {
          const step = this.#kept?.step ?? 0;
          this.options.emit({ type: 'recovering', step, attempt, attempts: MAX_RECOVERIES });
          continue;
        }
        last =
          error instanceof Stopped
            ? { type: 'finished', reason: 'stopped', steps: this.#kept?.step ?? 0, seconds: this.#seconds }
            : { type: 'failed', failure: toFailure(error) };
      } finally {
        owned.destroy();
      }
      this.options.emit(last);
      return;
    }
  }

  /** Plans, emits the plan, allocates, compiles and initialises. Throws Stopped when stopped meanwhile. */
  async #prepare(owned: Owned): Promise<Session> {
    const { emit, tuning, settings, maxSteps } = this.options;
    const preparing = (preparation: Preparation): void => {
      if (this.stopped) throw new Stopped();
      emit({ type: 'preparing', ...preparation });
    };
    const stage = (label: string, done: number): void => preparing({ label, done, total: 3 });
    const run = resolveRun(settings, maxSteps);
    const device = await this.options.device({ waiting: preparing, skipped: () => this.takeSkip() });
    const view = trainingGraph(run);
    const preview = previewGraph(run);
    const { choose, remark } = await choiceFor(device, [view.graph, preview.graph], tuning, {
      onProgress: (progress) => preparing(choosing(progress)),
      skipped: () => this.skipped,
      stopped: () => this.stopped,
    });
    const planned = ({ graph, outputs }: Pick<TrainingGraph, 'graph' | 'outputs'>): Plan =>
      planProgram(graph, device.capabilities, { outputs, choose });
    const [trainingPlan, previewPlan] = [planned(view), planned(preview)];
    const plan = planRun(run, view, trainingPlan, previewPlan, remark);
    emit({ type: 'planned', plan });

    stage('initial weights', 0);
    const parameters = owned.add(await Parameters.create(device, view.graph, { training: true }));
    for (const [name, values] of initialise(view.declared, run.seed)) parameters.write(name, values);
    for (const [pack, tensors] of this.#kept?.packs ?? [])
      for (const [name, values] of tensors) parameters.write(name, values, pack);
    stage('compiling the kernels of a training step', 1);
    const program = owned.add(
      await Program.compile(device, view.graph, { outputs: view.outputs, parameters, plan: trainingPlan }),
    );
    stage('compiling the kernels of the preview', 2);
    const previewer = owned.add(await Previewer.create(device, preview, { parameters, plan: previewPlan }));
    const metrics = new ProgressReporter(
      METRICS,
      plan.steps,
      (progress) =>
        emit({
          type: 'progress',
          tokensPerSecond: progress.stepsPerSecond * plan.tokensPerStep,
          ...progress,
        }),
      now,
    );
    return { run, device, view, program, previewer, parameters, metrics };
  }

  async #train(session: Session): Promise<Finished> {
    const { run, view, program, previewer, metrics } = session;
    const { steps, batch, learningRate, solved } = run.preset.training;
    const previews = new PreviewPace(previewer, this.options.emit, now);
    const rule = new SolvedRule(previewer, solved, this.#kept?.streak);
    // What the GPU still computes: while it does one step, the next is prepared here.
    const underWay: Promise<unknown>[] = [];
    const settle = async (): Promise<void> => {
      while (underWay.length > 0) await underWay.shift();
    };
    let step = this.#kept?.step ?? 0;
    let keptAt = now();
    try {
      await previews.show(step);
      metrics.start();
      while (step < steps && !rule.solved && !this.stopped) {
        if (this.paused) {
          await settle();
          await this.#rest(session, () => previews.show(step));
          continue;
        }
        step++;
        const { tokens, targets } = trainingBatch(run.task, run.preset.sizes, batch, run.seed, step);
        program.write(view.tokens, tokens);
        program.write(view.targets, targets);
        program.run({ step, seed: run.seed >>> 0, learningRate });
        underWay.push(handled(Promise.all([this.#record(session, step), rule.look(step)])));
        if (underWay.length === STAGING_SLOTS) await underWay.shift();
        await previews.offer(step);
        if (now() - keptAt < KEEP_INTERVAL) continue;
        await settle();
        // What is trained again is what was not reported yet.
        metrics.flush();
        const read = async (pack: PackName) => [pack, await session.parameters.read(pack)] as const;
        this.#kept = { step, packs: await Promise.all(KEPT_PACKS.map(read)), streak: rule.streak };
        keptAt = now();
      }
      await settle();
      metrics.stop();
      await previews.show(step);
      await this.options.keep?.(session.parameters);
    } finally {
      await Promise.allSettled(underWay);
      await previews.settled();
      this.#seconds += metrics.seconds;
    }
    const reason = rule.solved ? 'solved' : step < steps ? 'stopped' : 'completed';
    return { type: 'finished', reason, steps: step, seconds: this.#seconds };
  }

  /** Reads a step's metrics as soon as the GPU has them. Throws NotFiniteError. */
  async #record({ run, view, program, metrics }: Session, step: number): Promise<void> {
    const values = await program.read();
    const valueOf = (tensor: Tensor): number => values.get(tensor)?.[0] ?? NaN;
    const [loss, gradientNorm] = [valueOf(view.loss), valueOf(view.norm)];
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm))
      throw new NotFiniteError(
        `in step ${step} of ${run.preset.training.steps} the loss became ${loss} and the norm of its gradient ${gradientNorm}, so training stopped`,
      );
    metrics.record({ step, loss, accuracy: valueOf(view.correct), gradientNorm });
  }

  /** Waits for the end of a pause; a GPU that is lost meanwhile ends it with its error. */
  async #rest({ device, metrics }: Session, preview: () => Promise<void>): Promise<void> {
    metrics.stop();
    await preview();
    this.options.emit({ type: 'paused' });
    await this.resumed(device);
    if (!this.stopped) this.options.emit({ type: 'resumed' });
    metrics.start();
  }
}

import { Device } from '../../app/ui/device.svelte';
import { Charts } from './charts.svelte';
import { lessonLink } from './link';
import { LessonRun } from './run.svelte';
import { SequenceView } from './sequence.svelte';
import { LessonSettings } from './settings.svelte';
import { Shortcuts } from './shortcuts.svelte';

/** All state of the lesson; components get the part that they show. */
export class Lesson {
  readonly settings = new LessonSettings();
  readonly device: Device;
  readonly run: LessonRun;
  readonly charts: Charts;
  readonly sequence: SequenceView;
  readonly shortcuts: Shortcuts;

  constructor() {
    const link = lessonLink();
    this.device = new Device({
      device: () => link.call((worker) => worker.device()),
      measure: () => link.call((worker) => worker.measure()),
    });
    this.run = new LessonRun(link, this.device);
    this.charts = new Charts(this.run, this.settings);
    this.sequence = new SequenceView(this.run, this.settings);
    this.shortcuts = new Shortcuts(this);
    void this.device.ask();
  }

  /** Whether a run may be asked for. While the GPU has not answered yet it may: the worker will say what is wrong. */
  readonly canTrain = $derived.by(() => this.device.status !== 'missing');

  /** The one button: starts, pauses or resumes. */
  primary(): void {
    if (this.run.active) this.run.togglePause();
    else this.start();
  }

  start(): void {
    if (!this.canTrain) return;
    this.charts.showAll();
    void this.run.start(this.settings.take());
  }

  restartWithNewSeed(): void {
    if (!this.canTrain || !this.run.settings) return;
    this.settings.nextSeed();
    this.charts.showAll();
    this.run.restart(this.settings.take());
  }
}

/** What the commands on Modal and on a machine of one's own share: the facts of a configuration that they name, and the trainer's own commands. */
import { PREPROCESS_SECONDS, SEARCHED_WINDOWS } from '../../config/facts';
import { resultsName } from '../../config/launcher';
import { isForeign, sentence } from '../../config/issues';
import { readConfig } from '../../config/settings';
import { isSmokeRun, type Target } from '../../config/targets';
import { epochWindows } from '../../estimate/epoch_windows';
import { pathWord } from '../shell';

/** A configuration as a file below the trainer's folder. */
export interface NamedText {
  readonly name: string;
  readonly text: string;
}

export interface Command {
  /** Its name as a step of the script. */
  readonly id: string;
  readonly text: string;
  /** What it is for. */
  readonly purpose: string;
  readonly caution?: string;
}

export interface Facts {
  readonly config: string;
  readonly name: string;
  readonly text: string;
  readonly isSmoke: boolean;
  readonly target: Target;
  readonly dataDir: string;
  readonly cacheDir: string;
  /** Name of the folder below /results that the launcher makes of experiment.output_dir. */
  readonly resultsName: string;
  /** data.validation_split, which build-cache does not read from the file. */
  readonly split: number;
  readonly balanced: boolean;
  readonly epochs: number;
}

/** Why a file cannot be run, as a sentence; undefined for one that the trainer accepts. */
export function whyNotRun({ name, text }: NamedText): string | undefined {
  const file = readConfig(text);
  const { errors, settings } = file;
  if (isForeign(file)) return `${name} cannot be run: it is no configuration of the trainer.`;
  const [rejected] = settings.rejected;
  const why =
    errors.length > 0
      ? `it cannot be read: ${errors.map(({ message }) => message).join('; ')}`
      : rejected &&
        `the trainer rejects it: ${sentence({ path: rejected.path, message: rejected.problem ?? '' })}`;
  return why === undefined ? undefined : `${name} cannot be run, because ${why}. Fix the file first.`;
}

/** What commands need of a configuration. Throws RangeError with a sentence for one that the trainer rejects. */
export function factsOf({ name, text }: NamedText, target: Target): Facts {
  const why = whyNotRun({ name, text });
  if (why !== undefined) throw new RangeError(why);
  const { settings } = readConfig(text);
  return {
    config: pathWord(name),
    name,
    text,
    isSmoke: isSmokeRun(name),
    target,
    dataDir: settings.text('data.data_dir'),
    cacheDir: settings.text('data.cache_dir').replace(/\/+$/, ''),
    resultsName: resultsName(settings),
    split: settings.number('data.validation_split'),
    balanced: settings.value('data.use_balanced_sampling') !== false,
    epochs: settings.number('training.epochs'),
  };
}

/** The trainer's own check of the file, before anything else. */
export const validate = ({ config }: Facts): Command => ({
  id: 'validate',
  text: `python -m src validate ${config}`,
  purpose: 'Checks whether the trainer accepts the file.',
  caution:
    'Exit code 1: it does not, or there is no such file. It also accepts settings that crash later or are ignored: see the issues.',
});

export type Word = (text: string) => string;

/** build-cache reads no configuration: without the option it splits at 0.2, whatever the run does. */
export const buildCache = (
  { dataDir, cacheDir, split }: Facts,
  part: 'train' | 'val',
  word: Word = pathWord,
): string =>
  `python -m src build-cache --data-dir ${word(dataDir)} --cache-dir ${word(`${cacheDir}/${part}`)} --validation-split ${split} --split ${part}`;

/** Of the training cache alone: validation draws nothing from a manifest. */
export const scanCache = ({ cacheDir }: Facts, word: Word = pathWord): string =>
  `python -m src scan-cache --cache-dir ${word(`${cacheDir}/train`)}`;

const COUNT_CODE =
  'import pathlib, sys; data, cache, split, edf, end, said = sys.argv[1:]; files = sorted(pathlib.Path(data).rglob(edf)); held = files[: int(len(files) * float(split))]; wrong = [one for one in held if (pathlib.Path(cache) / (one.stem + end)).exists()]; print(len(wrong), said); sys.exit(len(wrong) > 0)';

/** Ends with 1 where recordings that the run validates lie in its training cache. */
export const countCached = ({ dataDir, cacheDir, split }: Facts, word: Word = pathWord): string =>
  [
    'python -c',
    ...[COUNT_CODE, dataDir, `${cacheDir}/train`, String(split), '*.edf', '_windows.npz'].map(word),
    word('validation recordings lie in the training cache'),
  ].join(' ');

export const CACHED: Pick<Command, 'id' | 'purpose' | 'caution'> = {
  id: 'cached',
  purpose:
    'Looks for a cache of another split: balanced sampling would train on recordings that the run validates.',
  caution:
    'Exit code 1: there is one. Delete it, or name an empty folder as data.cache_dir, and build the cache anew.',
};

export const BUILD_CODES =
  'Exit code 0: everything is cached, and the manifest is written unless the last line says “manifest scan failed”. 1: a folder is missing or a recording cannot be read, which the message names. 2: no annotation of a seizure was found.';

/** Hours in which one process preprocesses the corpus's recordings of a part, as a sentence. */
export function buildHours({ split }: Facts, part: 'train' | 'val'): string {
  const windows = epochWindows({ balanced: false, validationSplit: split });
  const count = part === 'train' ? windows.training : windows.validation;
  const hours = (count * PREPROCESS_SECONDS.likely) / 3600;
  return `The whole corpus takes about ${Number(hours.toPrecision(1))} h, at ${PREPROCESS_SECONDS.likely} s a window (assumed).`;
}

export const MANIFEST: Pick<Command, 'id' | 'purpose' | 'caution'> = {
  id: 'scan',
  purpose: 'Writes the manifest anew, from which balanced sampling draws its windows, and counts them.',
  caution: `Exit code 2: no seizure is in it. Then a run would read up to ${SEARCHED_WINDOWS.toLocaleString('en')} windows in one process to look for some, and end with an error.`,
};

export const RESUME_CAUTION =
  'It re-trains the saved epoch, overwrites best.pt after its first epoch, and restarts the early-stopping counter. Copy last.pt and best.pt away first: neither is written atomically, and with a damaged last.pt every start ends with an error until a copy takes its place.';

/** Every scorer's verdict on the same events: what two annotation files of each recording are compared by. */
import { falseAlarmsPer24Hours, sensitivity, taes } from './event_scores';
import { nedcScores, type NedcSummary } from './nedc';
import { szcoreEvents, szcoreSamples, szcoreScores, type ScoredEvents, type SzcoreScores } from './szcore';

export interface ScoredSubject extends ScoredEvents {
  /** SzCORE averages over subjects. */
  readonly subject: string;
}

export interface EventScores {
  readonly recordings: number;
  readonly hours: number;
  /** Seizures in the reference, and detected events, as the files have them. */
  readonly events: { readonly reference: number; readonly predicted: number };
  readonly trainer: {
    readonly taes: number;
    readonly sensitivity: number;
    readonly falseAlarmsPer24Hours: number;
  };
  readonly szcore: { readonly events: SzcoreScores; readonly samples: SzcoreScores };
  readonly nedc: NedcSummary;
}

/** Throws RangeError for events that are no stretch of time. */
export function scoreEvents(recordings: readonly ScoredSubject[]): EventScores {
  const hours = recordings.reduce((sum, { seconds }) => sum + seconds, 0) / 3600;
  const count = (whose: 'reference' | 'predicted'): number =>
    recordings.reduce((sum, recording) => sum + recording[whose].length, 0);
  const szcore = (counts: typeof szcoreEvents): SzcoreScores =>
    szcoreScores(recordings.map((recording) => ({ subject: recording.subject, counts: counts(recording) })));
  return {
    recordings: recordings.length,
    hours,
    events: { reference: count('reference'), predicted: count('predicted') },
    trainer: {
      taes: taes(recordings),
      sensitivity: sensitivity(recordings),
      falseAlarmsPer24Hours: falseAlarmsPer24Hours(recordings, hours),
    },
    szcore: { events: szcore(szcoreEvents), samples: szcore(szcoreSamples) },
    nedc: nedcScores(recordings),
  };
}

import { say, type LessonText } from '../course/step';

const p = (value: number | undefined): string => (value ?? NaN).toFixed(2);

/** English. */
export const en: LessonText = {
  title: 'Reading EEG in both directions',
  about:
    'A small seizure detector (width 4, one layer, trained beforehand on synthetic EEG) reads EEG of synthetic patients whom it has not seen. All numbers are those of this one training; another may differ. Synthetic seizures start abruptly; real ones may build up slowly, and then the answers may differ. z-scores are taken over the whole recording, so they know the future.',
  names: {
    both: 'both',
    forward: 'forward',
    'all EEG': 'all EEG',
    cut: 'cut',
    mean: 'mean',
    'one onset': 'one onset',
    '4 s ahead': '4 s ahead',
    'forward scan only': 'forward scan only',
    '0 s ahead': '0 s ahead',
    'real future': 'real future',
    'ends here': 'ends here',
    zeros: 'zeros',
    '4 stages': '4 stages',
    '5 stages': '5 stages',
  },
  path: 'Steps 1, 3 and 6. In step 3, move the look-ahead from 0 to 1 s after the answer.',
  steps: {
    reach: {
      question:
        'The detector reads a minute in both directions. The EEG after its middle is turned upside down. How far before the middle do its answers change: with both directions, and with the forward scan alone?',
      labels: ['Both directions', 'Forward scan alone'],
      unit: ' s',
      x: 'Seconds before the change',
      y: 'Largest change of P(seizure)',
      reveal: ({ both, both64, forward, forward64 }) =>
        `With both directions ${say(both as number)} s; with the forward scan alone ${say(forward as number)} s, and everything earlier is equal to the bit. In float64, which holds smaller changes, it is ${say(both64 as number)} s and ${say(forward64 as number)} s.`,
      why: () =>
        'The backward scan carries every later step to every earlier one, ever more faintly. Without it there are the convolutions of the U-Net, which see a little of both sides.',
      formula: 'reach of the convolutions ≈ Σ over stages of (kernel − 1)/2 · 2^stage',
      ask: 'Which part of the detector would you cut to make it causal?',
      surprise: 'Taking the backward scan away does not make a detector causal.',
    },
    onset: {
      question:
        'It has read what comes later. At which second, counted from the labelled onset, has the mean of P(seizure) made half of its rise?',
      labels: ['Seconds from the onset'],
      unit: ' s',
      x: 'Seconds from the labelled onset',
      y: 'Mean P(seizure)',
      reveal: ({ crossing, rise, early, late, patients }) =>
        `At ${say(crossing as number)} s, the mean of ${say(patients as number)} onsets. From ${p(early)} it rises to ${p(late)}, but in the seconds 4 to 1 before the onset by ${(rise as number).toFixed(3)} only.`,
      why: ({ soon, soonForward }) =>
        `Reading the future is not foresight, but hindsight: in the first five seconds the mean is ${p(soon)} with both directions and ${p(soonForward)} with the forward scan alone. What comes later tells that a rhythm was a seizure.`,
      formula: 'P(t) = detector(EEG before t, EEG after t)',
      ask: 'How would the curve look for seizures that build up over ten seconds?',
      surprise: 'Before the last second nothing happens, and that second is the convolutions’ reach.',
    },
    bedside: {
      question:
        'At the bedside the future does not exist: each moment is read from a window that ends with it. One patient’s seizure lasts beyond 20 s. What is the mean of P(seizure) from 5 to 20 s after its onset?',
      labels: ['Mean P(seizure)'],
      x: 'Seconds from the labelled onset',
      y: 'P(seizure) each second',
      controls: { ahead: 'Look-ahead in seconds' },
      reveal: ({ ahead, late, all }) =>
        `With a look-ahead of ${say(ahead as number)} s it is ${p(late)}, with all EEG of the minute ${p(all)}.`,
      why: () =>
        'A window that ends a little later gives the centred convolutions what they read on the right of the moment, and the backward scan something to start with.',
      formula: 'P(t) = detector(EEG before t + look-ahead)',
      ask: 'Move the look-ahead: what does an alarm gain by a second, and what by eight?',
      surprise: 'In the midst of a seizure the detector does not see it at the very edge of the data.',
    },
    wait: {
      question:
        'A window ends so many seconds after the moment that it is read for, its look-ahead. From which look-ahead on is the contrast (mean P after the onset minus mean P before it) within 5 % of its value with 8 s?',
      labels: ['Look-ahead in seconds'],
      unit: ' s',
      x: 'Look-ahead in seconds',
      y: 'Contrast of P(seizure)',
      reveal: ({ wait, none, eighth, one, all, patients }) =>
        `From ${say(wait as number)} s on, the mean of ${say(patients as number)} onsets. With no look-ahead the contrast is ${p(none)}, with an eighth of a second ${p(eighth)}, with one second ${p(one)}, with eight ${p(all)}.`,
      why: () =>
        'The first second feeds the convolutions, and gives most. What follows feeds the backward head, which remembers seconds, and gives the rest ever more slowly.',
      formula: 'contrast = mean P(6, 12, 18 s after) − mean P(12, 8, 4 s before)',
      ask: 'Which wait would you accept for an alarm?',
      surprise: 'An eighth of a second makes the largest difference.',
    },
    blind: {
      question: 'Why is it so much worse without any look-ahead?',
      options: [
        'The backward scan has nothing to read',
        'The convolutions see padding instead of EEG',
        'The forward scan has not finished',
      ],
      x: 'What the detector has',
      y: 'Contrast of P(seizure)',
      reveal: ({ whole, scan, cut }) =>
        `Mostly the convolutions. Without the backward scan, but with 4 s of EEG ahead, the contrast of two onsets is ${p(scan)} instead of ${p(whole)}; without look-ahead it is ${p(cut)}.`,
      why: () =>
        'Each convolution is centred, and what lies beyond the window’s end is 0 to it, at every scale.',
      formula: 'y_t = Σ w_k x_{t + k}, k from −r to r',
      ask: 'What would causal convolutions change, and what would they cost?',
      surprise: 'The scan is what reads both ways, and yet it is not what is missed most.',
    },
    zeros: {
      question:
        'Let us fill the missing future with 4 s of zeros, and ask 6 to 18 s after the onset, in the midst of the seizure. What is the mean of P(seizure)?',
      labels: ['P(seizure)'],
      x: 'What comes after the moment',
      y: 'Mean P(seizure) after the onset',
      reveal: ({ real, ends, zeros }) =>
        `${p(zeros)}. With the real future it is ${p(real)}, and where the window just ends ${p(ends)}.`,
      why: () =>
        'To the convolutions zeros in the EEG are much like the padding beyond its end, and to the backward head they are four seconds without a seizure.',
      formula: 'zeros in the EEG ≠ no EEG',
      ask: 'An electrode falls off, and its amplifier writes zeros. What does a detector make of that?',
      surprise: 'Only real EEG helps: let the window end, and wait.',
    },
    transfer: {
      question:
        'The convolutions of this detector have four stages and see 1.03 s ahead. With a fifth stage and equal kernels, how many seconds do they see?',
      labels: ['Seconds'],
      unit: ' s',
      x: 'Seconds before the change',
      y: 'Largest change of P(seizure)',
      reveal: ({ four, five }) =>
        `${say(five as number)} s, measured on untrained convolutions: the reach needs no training. With four stages it is ${say(four as number)} s.`,
      why: () => 'Each stage halves the length, so its kernels span twice as long; the last stage decides.',
      formula: 'reach(s + 1) ≈ 2 · reach(s)',
      ask: 'And with one stage less?',
      surprise: 'The wait at the bedside doubles with a stage.',
    },
  },
};

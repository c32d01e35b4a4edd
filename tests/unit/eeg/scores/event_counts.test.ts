import { expect, test } from 'vitest';
import { eventCounts } from '../../../../src/eeg/scores/event_counts';

test('seizures are found by any overlap, and events of one recording never by those of another', () => {
  const event = (start: number, end: number) => ({ start, end });
  const pairs = [
    { reference: [event(10, 20), event(50, 60)], predicted: [event(19, 30), event(70, 80)] },
    { reference: [], predicted: [event(50, 60)] },
  ];
  expect(eventCounts(pairs)).toEqual({ labelled: 2, found: 1, falseAlarms: 2 });
  expect(eventCounts([])).toEqual({ labelled: 0, found: 0, falseAlarms: 0 });
});

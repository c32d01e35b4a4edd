import { expect, test } from 'vitest';
import { areForDetection, droppedFiles } from '../../../src/app/ui/dropped';

type Entry = Pick<FileSystemEntry, 'isFile' | 'fullPath'>;

const file = (fullPath: string): Entry & Pick<FileSystemFileEntry, 'file'> => ({
  isFile: true,
  fullPath,
  file: (resolve, reject) =>
    fullPath.endsWith('gone.edf')
      ? reject?.(new DOMException('it is not there', 'NotFoundError'))
      : resolve(new File([], 'name')),
});

/** As browsers do it, a hundred entries at a time; a locked folder rejects. */
const folder = (fullPath: string, ...inside: Entry[]) => ({
  isFile: false,
  fullPath,
  createReader: () => ({
    readEntries: (resolve: (entries: Entry[]) => void, reject: (error: Error) => void): void =>
      fullPath.endsWith('locked') ? reject(new Error('no')) : resolve(inside.splice(0, 100)),
  }),
});

const dropOf = (...entries: Entry[]) => {
  const items = entries.map((entry) => ({ webkitGetAsEntry: () => entry, getAsFile: () => null }));
  return droppedFiles({ items } as unknown as DataTransfer);
};

test('folders are read whole, and what cannot be read is told by itself', async () => {
  const many = Array.from({ length: 250 }, (_, i) => file(`/eeg/p/${i}.edf`));
  const { files, unread } = await dropOf(
    folder(
      '/eeg',
      folder('/eeg/p', ...many),
      file('/eeg/gone.edf'),
      folder('/eeg/locked'),
      file('/eeg/z.edf'),
    ),
  );
  expect(files).toHaveLength(251);
  expect(files.at(-1)?.path).toBe('eeg/z.edf');
  expect(unread).toEqual([
    { path: 'eeg/gone.edf', reason: 'eeg/gone.edf cannot be read: it is not there' },
    { path: 'eeg/locked', reason: 'eeg/locked cannot be read: no' },
  ]);
});

test.each([
  [['a.yaml'], false],
  [['a.yaml', 'B.EDF'], true],
  [['best.pt'], true],
  [[], false],
])('%j is for the detection: %s', (names, expected) => {
  const files = names.map((name) => new File([], name)) as unknown as FileList;
  expect(areForDetection({ files })).toBe(expected);
});

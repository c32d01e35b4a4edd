import { expect, test } from 'vitest';
import { droppedFiles } from '../../../src/app/ui/dropped';
import { hostLogs, sortFiles, uselessSentence } from '../../../src/app/dropping';

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
  return { items } as unknown as DataTransfer;
};

test('folders are read whole, and what cannot be read is told by itself', async () => {
  const many = Array.from({ length: 250 }, (_, i) => file(`/eeg/p/${i}.edf`));
  const drop = dropOf(
    folder(
      '/eeg',
      folder('/eeg/p', ...many),
      file('/eeg/gone.edf'),
      folder('/eeg/locked'),
      file('/eeg/z.edf'),
    ),
  );
  const { files, unread } = (await droppedFiles(drop)) ?? { files: [], unread: [] };
  expect(files).toHaveLength(251);
  expect(files.at(-1)?.path).toBe('eeg/z.edf');
  expect(unread).toEqual([
    { path: 'eeg/gone.edf', reason: 'eeg/gone.edf cannot be read: it is not there' },
    { path: 'eeg/locked', reason: 'eeg/locked cannot be read: no' },
  ]);
});

test('the files are counted while they are found, and the search can be ended', async () => {
  const many = Array.from({ length: 1000 }, (_, i) => file(`/eeg/${i}.edf`));
  const counts: number[] = [];
  const stopped = await droppedFiles(dropOf(folder('/eeg', ...many)), (count) => {
    counts.push(count);
    return count < 300;
  });
  expect(stopped).toBe(null);
  expect(counts).toEqual([0, 0, 100, 200, 300]);
});

const sorted = (shown: string | undefined, ...paths: string[]) => {
  const files = paths.map((path) => ({ path, data: new File([], path) }));
  const { of, useless } = sortFiles(files, shown);
  const names = [...of].map(([page, given]) => [page, ...given.map(({ path }) => path)]);
  return { names, useless: uselessSentence({ of, useless }, []) };
};

test.each([
  ['train', ['a.yaml'], [['config', 'a.yaml']]],
  ['train', ['p/A.EDF', 'p/A.csv_bi'], [['train', 'p/A.EDF', 'p/A.csv_bi']]],
  ['train', ['a.edf', 'best.pt'], [['detect', 'a.edf', 'best.pt']]],
  [
    'resources',
    ['b.yml', 'a.edf'],
    [
      ['config', 'b.yml'],
      ['detect', 'a.edf'],
    ],
  ],
  ['demo', ['run.pickle'], [['resources', 'run.pickle']]],
  ['runs', ['run.state.safetensors'], [['runs', 'run.state.safetensors']]],
  [
    'train',
    ['tb/events.out.tfevents.1.host', 'tb/a.yaml'],
    [['runs', 'tb/events.out.tfevents.1.host', 'tb/a.yaml']],
  ],
  ['runs', ['metrics.csv', 'a.yaml'], [['runs', 'metrics.csv', 'a.yaml']]],
  [
    'demo',
    ['run-.-tag-Loss_train.csv', 'metrics.csv'],
    [['runs', 'run-.-tag-Loss_train.csv', 'metrics.csv']],
  ],
  ['runs', ['a.yaml'], [['config', 'a.yaml']]],
  ['train', ['a.edf', 'a.csv'], [['train', 'a.edf', 'a.csv']]],
  ['resources', ['run.state.safetensors'], [['detect', 'run.state.safetensors']]],
  [
    'config',
    ['a.edf', 'a.txt'],
    [
      ['detect', 'a.edf'],
      ['config', 'a.txt'],
    ],
  ],
  ['resources', ['eeg/a.edf', 'eeg/README.md'], [['detect', 'eeg/a.edf']]],
])('dropped on %s, %j go to their pages', (shown, paths, expected) => {
  expect(sorted(shown, ...paths)).toEqual({ names: expected, useless: null });
});

test.each([
  [['notes.txt'], /^notes\.txt cannot be used here\. Drop configurations/],
  [['a.edf', 'notes.txt', 'b.txt'], /^notes\.txt and 1 more cannot be used here/],
  [['docs/notes.txt'], /^docs\/notes\.txt cannot/],
  [[], /^There are no files/],
])('of %j what nothing can use is named', (paths, sentence) => {
  expect(sorted('resources', ...paths).useless).toMatch(sentence);
});

test('logs of a host’s memory are known by what is in them, and go to Resources', async () => {
  const file = (path: string, text: string) => ({ path, data: new File([text], path) });
  const files = [
    file('dmesg.txt', `${'boot\n'.repeat(200_000)}Out of memory: Killed process 7 (python) total-vm:8kB\n`),
    file('activity.csv', 'elapsed_time,nproc,cpu,mem_real,mem_virtual\n0,1,1,1,1\n'),
    file('a.csv', 'channel,start_time,stop_time,label,confidence\n'),
    file('notes.txt', 'nothing'),
  ];
  const logs = await hostLogs(files);
  const { of, useless } = sortFiles(files, 'train', logs);
  expect(of.get('resources')?.map(({ path }) => path)).toEqual(['dmesg.txt', 'activity.csv']);
  expect(of.get('train')?.map(({ path }) => path)).toEqual(['a.csv']);
  expect(useless.map(({ path }) => path)).toEqual(['notes.txt']);
});

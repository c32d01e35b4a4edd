import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { bytes } from '../../src/app/ui/format';
import { readFile, settingsOf } from '../../src/app/pages/fit/settings';
import { piecesOf } from '../../src/checkpoints/pickle_machine';
import { PRESETS } from '../../src/config/presets';
import { compareSnapshot } from '../../src/estimate/snapshot/compare';
import { predictedSnapshot } from '../../src/estimate/snapshot/predicted';
import { readSnapshot } from '../../src/estimate/snapshot/read';
import { writeSnapshot } from '../../src/estimate/snapshot/write';
import { MEASURED, readMeasured } from '../../src/estimate/measured';
import { predictVram } from '../../src/estimate/vram/predict';
import { fixed } from '../../src/estimate/vram/tape';
import { recorded } from '../unit/estimate/snapshots';
import { startApp, type App } from './app';
import { drop } from './drops';
import { SILENT } from './looks';

const SLOW = { timeout: 120_000 };
const PATH = 'configs/review/tusz_train.yaml';
const { vram } = settingsOf(readFile(PRESETS.find(({ name }) => name === PATH)?.text ?? '', PATH, 'wsl2'));

let app: App;
beforeAll(async () => {
  app = await startApp();
});

test('a memory snapshot that is dropped anywhere lies beside the prediction, calibrates it, and the prediction leaves as one', async () => {
  const { page, complaints } = await app.open('#/demo');
  const file = writeSnapshot(recorded(vram, { steps: 2, dropped: 0.01, extras: [fixed(2 ** 28)] }));
  const compared = compareSnapshot(readSnapshot(piecesOf(file)), vram);
  await drop(page, [{ path: 'run.pickle', bytes: file }]);
  await page.getByTestId('snapshot').waitFor(SLOW);
  await page.getByTestId('unexplained').filter({ hasText: 'extra 0' }).waitFor(SLOW);
  await page.getByText(bytes(compared.peak.measured)).first().waitFor();
  await page.getByRole('button', { name: 'Calibrate with this snapshot' }).click();
  const { measurement } = compared;
  await page
    .getByTestId('vram-total')
    .filter({ hasText: bytes(predictVram({ ...vram, measurement }).total.likely) })
    .waitFor(SLOW);
  await page.getByText('Not explained').first().waitFor();

  const [kept] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save as measurement' }).click(),
  ]);
  const text = JSON.parse(readFileSync(await kept.path(), 'utf8')) as object;
  const named = readMeasured({ ...text, title: 'a run', source: 'a GPU' });
  const { run, allocated, reserved } = measurement;
  expect(named).toMatchObject({ kind: 'gpu-memory', run, allocated, reserved });
  await page.getByText('Predicted against measured').click();
  await page
    .getByTestId('measured')
    .getByText(MEASURED[0]?.title ?? '')
    .first()
    .waitFor(SLOW);

  const [saved] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save prediction as snapshot' }).click(),
  ]);
  const own = writeSnapshot(predictedSnapshot(vram));
  expect(Buffer.compare(readFileSync(await saved.path()), own)).toBe(0);
  const [events] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save prediction as trace events' }).click(),
  ]);
  const { traceEvents, otherData } = JSON.parse(readFileSync(await events.path(), 'utf8')) as {
    traceEvents: { ph: string; dur?: number }[];
    otherData: { clock: string };
  };
  expect(traceEvents.filter(({ ph }) => ph === 'X').length).toBeGreaterThan(500);
  expect(otherData.clock).toMatch(/^No times are predicted/);

  await drop(page, [{ path: 'bad.pickle', bytes: Uint8Array.of(0x80, 4, 0x63) }]);
  await page.getByRole('alert').filter({ hasText: 'the pickle ends too early' }).waitFor(SLOW);
  expect(complaints).toEqual(SILENT);
});

test('a kernel log and samples that are dropped lie beside the simulated RAM, and name the mechanism that fits', async () => {
  const { page, complaints } = await app.open('#/train');
  await page.getByRole('heading', { level: 1 }).waitFor(SLOW);
  const kernel = [
    '[1.0] 8126464 pages RAM',
    '[1.1] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name',
    '[1.1] [   1000]  1000  1000  2500000   700000     8000        0             0 python',
    '[1.1] [   1004]  1000  1004  2900000  1500000     8000        0             0 python',
    '  4%|▍         | 127/3110 [05:21<2:05:43,  2.53s/it]',
    '[1.3] Out of memory: Killed process 1004 (python) total-vm:11600000kB, anon-rss:6000000kB',
  ].join('\n');
  const samples = [
    '# Elapsed time   CPU (%)     Real (MB)   Virtual (MB)',
    ...Array.from({ length: 50 }, (_, i) => `${i} 99 ${4000 + 400 * i} 90000`),
  ].join('\n');
  await drop(page, [
    { path: 'kern.log', bytes: new TextEncoder().encode(kernel) },
    { path: 'activity.log', bytes: new TextEncoder().encode(samples) },
  ]);
  await page.getByText('Linux killed python (pid 1004)').waitFor(SLOW);
  await page.getByText('activity.log: 50 moments').waitFor(SLOW);
  expect(await page.getByLabel('Batches done when it died').inputValue()).toBe('127');
  await page.getByRole('button', { name: 'Compare mechanisms' }).click();
  await page
    .getByTestId('best-mechanism')
    .filter({ hasText: /fits best|None of the mechanisms/ })
    .waitFor(SLOW);
  const rows = page.getByTestId('mechanisms').getByRole('row');
  expect(await rows.count()).toBe(5);
  await rows.filter({ hasText: 'The loader as its source reads' }).filter({ hasText: '0 of 30' }).waitFor();
  expect(complaints).toEqual(SILENT);
});

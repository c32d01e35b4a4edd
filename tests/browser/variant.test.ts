/** On the page Config, from a file to another for another machine. */
import { expect, test } from 'vitest';
import { open, savedBundle, savedText, tab } from './config_page';
import { SILENT } from './looks';

test('a variant is derived, compared, launched and reviewed', async () => {
  const { page, complaints } = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
  const clipboard = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText());
  await tab(page, 'Create variant').click();
  await page.getByRole('radio', { name: 'A100 on Modal' }).check();
  await page
    .getByRole('region', { name: 'Changes of training' })
    .getByText('training.batch_size: 64')
    .waitFor();
  await page.getByRole('button', { name: 'Create configs/modal/train_a100.yaml' }).click();
  await page.getByRole('button', { name: 'Save train_a100.yaml' }).waitFor();
  const derived = await savedText(page);
  expect(derived).toContain('batch_size: 64');
  expect(derived.split('\n').slice(0, 2)).toEqual([
    '# yaml-language-server: $schema=../schema.json',
    '# Made by Smokescan for Modal A100, as configs/modal/train_a100.yaml.',
  ]);

  await tab(page, 'Compare').click();
  await page.getByRole('cell', { name: '16 → 64, 4× more' }).waitFor();
  await page.getByRole('button', { name: 'Copy as Markdown' }).click();
  expect(await clipboard()).toMatch(/^\| Setting \| configs\/review\/tusz_train\.yaml \(baseline\)/);

  await tab(page, 'Commands').click();
  await page.getByRole('button', { name: 'Copy: train', exact: true }).click();
  expect(await clipboard()).toBe(
    'modal run --detach deploy/modal/app.py --action train --config configs/modal/train_a100.yaml --resume',
  );

  await tab(page, 'Sign-off report').click();
  await page.getByRole('button', { name: 'Save review.md' }).waitFor();
  await page.getByText('killed after 127 batches').first().waitFor();
  const zip = await savedBundle(page);
  expect([...zip.keys()]).toEqual([
    'configs/review/tusz_train.yaml',
    'configs/modal/train_a100.yaml',
    'commands/review/tusz_train.sh',
    'commands/modal/train_a100.sh',
    'configs/local/smoke.yaml',
    'configs/modal/smoke_a100.yaml',
    'configs/schema.json',
    'review.md',
  ]);
  expect(zip.get('configs/modal/train_a100.yaml')).toBe(derived);
  expect(complaints).toEqual(SILENT);
});

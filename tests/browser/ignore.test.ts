import { expect, test } from 'vitest';
import { editor, issues, open, SAVED, savedText, workers } from './config_page';
import { SILENT } from './looks';

test('an issue is silenced by a comment, whose reason is typed where the cursor then is', async () => {
  const { page, complaints } = await open();
  const before = await issues(page).count();
  await workers(page).getByRole('button', { name: 'Ignore, with a reason' }).click();
  await workers(page).waitFor({ state: 'detached' });
  // Without a reason the comment is an issue itself.
  await issues(page).filter({ hasText: 'gives no reason' }).waitFor();
  await expect
    .poll(() => editor(page).evaluate((element) => element.contains(document.activeElement)))
    .toBe(true);
  await page.keyboard.type('agreed with the lab');
  await issues(page).filter({ hasText: 'gives no reason' }).waitFor({ state: 'detached' });
  await expect.poll(() => issues(page).count()).toBe(before - 1);
  await page.getByText('Silenced by comments of the file: 1').click();
  await page
    .getByRole('listitem')
    .filter({ hasText: /^wsl2-workers .*– agreed with the lab$/ })
    .waitFor();
  expect(await savedText(page)).toBe(
    SAVED.replace(
      'num_workers: 4\n',
      'num_workers: 4 # smokescan: ignore wsl2-workers – agreed with the lab\n',
    ),
  );
  expect(complaints).toEqual(SILENT);
});

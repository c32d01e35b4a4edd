import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readZip } from '../../src/checkpoints/zip';
import {
  choose,
  CRASHED,
  drop,
  editor,
  issue,
  issues,
  open,
  SAVED,
  savedBundle,
  savedText,
  tab,
  workers,
  write,
} from './config_page';
import { countClicks } from './clicks';
import { SILENT } from './looks';
import { longestTask } from './long-tasks';

describe('the file whose run was killed', () => {
  test('is what a first visit sees, with its issues; a click selects their characters, or fixes them', async () => {
    const { page, complaints } = await open();
    expect(await page.getByRole('textbox', { name: 'Path' }).inputValue()).toBe(
      'configs/review/tusz_train.yaml',
    );
    expect(await issues(page).count()).toBeGreaterThan(5);
    await workers(page)
      .getByRole('button', { name: /num_workers.*line \d/ })
      .click();
    expect(await page.evaluate(() => getSelection()?.toString())).toBe('4');
    await issue(page, 'early_stopping.metric').getByText('Evidence').click();
    await page
      .getByText(/2025-09-21/)
      .first()
      .waitFor();
    // The rule's page has an address of its own.
    await issue(page, 'early_stopping.metric')
      .getByRole('link', { name: /^Rule / })
      .click();
    const rule = page.getByRole('dialog', { name: /^Rule / });
    await rule.getByText('Silence it').waitFor();
    expect(new URL(page.url()).hash).toMatch(/^#\/config\/rules\/[\w-]+$/);
    await rule.getByRole('button', { name: 'Close' }).click();
    await rule.waitFor({ state: 'hidden' });
    await issue(page, 'early_stopping.metric')
      .getByRole('button', { name: /metric.*line \d/ })
      .click();
    await page.locator('.cm-lintRange-error').first().waitFor();

    // Fixed by one click, in one scalar; the click is taken back by Ctrl Z.
    expect(await savedText(page)).toBe(SAVED);
    await page.getByText('training.learning_rate: 3e-4 became 3.0e-4').waitFor();
    // What was saved is what the editor shows.
    await editor(page).getByText('3.0e-4').waitFor();
    expect(await page.getByText('changed since it was opened', { exact: false }).count()).toBe(0);
    await workers(page).getByRole('button', { name: 'Fix', exact: true }).click();
    await workers(page).waitFor({ state: 'detached' });
    expect(await savedText(page)).toBe(SAVED.replace('num_workers: 4', 'num_workers: 0'));
    await editor(page).click();
    await page.keyboard.press('Control+z');
    await workers(page).waitFor();
    expect(await savedText(page)).toBe(SAVED);

    await page.getByRole('button', { name: 'Apply all fixes for WSL2' }).click();
    const said = page
      .getByRole('status')
      .filter({ hasText: /^\d+ values were fixed for WSL2 in tusz_train/ });
    await said.getByText('training.early_stopping.metric: sensitivity_at_10.0fa').waitFor();
    await expect.poll(() => issues(page).count()).toBeLessThan(3);
    // It would take weeks, which no fix changes.
    await page.getByText('Ready for WSL2, but beyond the deadline').waitFor();
    const fixed = await savedText(page);
    for (const line of ['num_workers: 0', 'conv_kernel: 3', 'metric: sensitivity_at_10.0fa'])
      expect(fixed).toContain(line);
    expect(fixed.split('\n')[0]).toBe(CRASHED.split('\n')[0]);
    expect(complaints).toEqual(SILENT);
  });

  test('is for another machine when that is chosen, with the figures that are given', async () => {
    const { page, complaints } = await open();
    const validation = issue(page, 'data.validation_split');
    await validation.waitFor();
    await page.getByText('RTX 4090, 31 GiB RAM').click();
    await page.getByRole('spinbutton', { name: 'RAM', exact: false }).first().fill('256');
    await page.keyboard.press('Tab');
    await validation.waitFor({ state: 'detached' });
    await page.getByLabel('Target').selectOption('modal');
    await issue(page, 'data.data_dir').waitFor();
    // What no edit fixes is in the same list.
    await issues(page).filter({ hasText: 'Not fixable in this file.' }).first().waitFor();
    await page.getByText('Not ready for Modal A100').waitFor();
    await page
      .getByText(/both secrets/)
      .first()
      .waitFor();

    // An engineer's own file, from dropped to fixed and saved with its commands.
    const clicks = await countClicks(page);
    await drop(page, 'own.yaml', CRASHED);
    await page.getByRole('button', { name: 'own.yaml', exact: true }).waitFor();
    await page.getByLabel('Target').selectOption('modal');
    await page.getByRole('button', { name: 'Apply all fixes for Modal A100' }).click();
    await page.getByText(/values were fixed for Modal A100 in own\.yaml/).waitFor();
    const saved = await savedBundle(page);
    expect(await clicks()).toBeLessThanOrEqual(6);
    expect(saved.get('configs/own.yaml')).toContain('metric: sensitivity_at_10.0fa');
    expect(saved.get('commands/own.sh')).toContain('modal run --detach');
    expect(saved.has('review.md')).toBe(true);
    expect(complaints).toEqual(SILENT);
  });
});

describe('text and form', () => {
  test('change each other, in one history', async () => {
    const { page, complaints } = await open();
    await tab(page, 'Form').click();
    const batch = page.getByRole('textbox', { name: 'batch_size' });
    expect(await batch.inputValue()).toBe('16');
    // What saving rewrites is a step of the history, too.
    expect(await savedText(page)).toBe(SAVED);
    await batch.fill('8');
    await page.keyboard.press('Tab');
    await expect.poll(() => savedText(page)).toBe(SAVED.replace('batch_size: 16', 'batch_size: 8'));
    const rate = page.getByRole('textbox', { name: 'learning_rate' });
    await rate.fill('1e-4');
    await page.keyboard.press('Tab');
    await expect.poll(() => savedText(page)).toContain('learning_rate: 1.0e-4');
    // Selected to be typed over, it stays selected where its value changes meanwhile.
    await rate.selectText();
    await page.getByRole('button', { name: 'Undo' }).evaluate((undo: HTMLElement) => undo.click());
    await expect.poll(() => rate.inputValue()).toBe('3.0e-4');
    await page.keyboard.type('2e-4');
    await page.keyboard.press('Tab');
    await expect.poll(() => savedText(page)).toContain('learning_rate: 2.0e-4');
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('button', { name: 'Undo' }).click();
    expect(await savedText(page)).toBe(SAVED);
    await expect.poll(() => batch.inputValue()).toBe('16');

    // Undone before it was inspected.
    const workers = page.getByRole('textbox', { name: 'num_workers' });
    await workers.fill('3');
    await page.evaluate(async () => {
      (document.activeElement as HTMLElement).blur();
      const written = (): boolean =>
        document.querySelector('.cm-content')?.textContent.includes('num_workers: 3') === true;
      while (!written()) await new Promise(requestAnimationFrame);
      [...document.querySelectorAll('button')].find(({ textContent }) => textContent === 'Undo')?.click();
    });
    await expect.poll(() => workers.inputValue()).toBe('4');
    expect(await savedText(page)).toBe(SAVED);

    // A key that the file does not have is added, and taken out again.
    await page.getByRole('checkbox', { name: 'log_gradients' }).check();
    await expect.poll(() => savedText(page)).toMatch(/^logging:\n {2}log_gradients: true$/m);
    await page.getByRole('button', { name: 'Reset: take logging.log_gradients out of the file' }).click();
    await expect.poll(() => savedText(page)).toBe(SAVED);

    await batch.fill('300');
    await page.keyboard.press('Tab');
    await expect.poll(() => batch.getAttribute('aria-invalid')).toBe('true');
    expect(complaints).toEqual(SILENT);
  });

  test('a text that is no YAML keeps the last values in the form, and what was typed over a reload', async () => {
    const { page, complaints } = await open();
    await tab(page, 'Form').click();
    const batch = page.getByRole('textbox', { name: 'batch_size' });
    await editor(page).click();
    await page.keyboard.press('Control+Home');
    await page.keyboard.insertText('broken: [1, 2\n');
    await page.getByText(/^The trainer cannot read this text/).waitFor();
    expect(await batch.inputValue()).toBe('16');
    expect(await batch.isDisabled()).toBe(true);
    await page.reload();
    await page.getByText(/^The trainer cannot read this text/).waitFor();
    expect(await savedText(page)).toBe(`broken: [1, 2\n${CRASHED}`);

    // Several errors at one place are all listed, and the next text is read.
    await tab(page, 'Issues').click();
    for (const text of [
      'data:\n  - a: 1\n    a: 2\n    a: 2\n',
      'data: [a: 1, a: 1, a: 1]\n',
      'data: {a: 1, a: 1, a: 1',
    ]) {
      await write(page, text);
      await issues(page).first().waitFor();
      await page.keyboard.press('Control+A');
      await page.keyboard.insertText('training: {epochs: 3}\n');
      await issue(page, 'data').first().waitFor();
    }
    expect(complaints).toEqual(SILENT);
  });

  test('keys and values are completed, documented, and shown as the trainer reads them', async () => {
    const { page, complaints } = await open();
    await write(page, 'training:\n  learning_rate: 3e-4\n  ');
    await page.keyboard.type('batch');
    await page.locator('.cm-tooltip-autocomplete').getByText('batch_size').waitFor();
    await page.waitForTimeout(150);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await page.keyboard.type('loss: f');
    await page.locator('.cm-tooltip-autocomplete').getByText('focal', { exact: true }).waitFor();
    await page.waitForTimeout(150);
    await page.keyboard.press('Enter');
    await page.locator('.cm-line', { hasText: 'learning_rate' }).getByText('learning_rate').hover();
    const box = page.locator('.cm-tooltip .about');
    await box.waitFor();
    expect(await box.textContent()).toMatch(/reads '3e-4' \(str\) and uses 3\.0e-4/);
    await tab(page, 'Parsed values').click();
    const row = page.getByRole('row', { name: /training\.learning_rate/ });
    expect(await row.textContent()).toContain("'3e-4'");
    expect(await row.textContent()).toContain('float');
    await editor(page).click();
    await page.keyboard.press('Control+s');
    expect(await savedText(page)).toBe('training:\n  learning_rate: 3.0e-4\n  batch_size: 16\n  loss: focal');
    expect(complaints).toEqual(SILENT);
  });
});

describe('files', () => {
  test('with any line ends are saved byte for byte, but for what was changed', async () => {
    const { page, complaints } = await open();
    await tab(page, 'Form').click();
    const texts = {
      'crlf-bom.yaml': '\ufeffdata:\r\n  num_workers: 4 # four\r\ntraining:\r\n  epochs: 3\r\n',
      'cr.yaml': 'data:\r  num_workers: 4 # four\rtraining:\r  epochs: 3\r',
      'mixed.yaml': 'data:\r\n  num_workers: 4 # four\ntraining:\r\n  epochs: 3\n',
      'unended.yaml': 'data:\n  num_workers: 4 # four',
    };
    for (const [path, text] of Object.entries(texts)) {
      await choose(page, [{ path, bytes: text }]);
      await page.getByRole('button', { name: `Save ${path}` }).waitFor();
      expect(await savedText(page), path).toBe(text);
      await page.getByRole('textbox', { name: 'num_workers' }).fill('0');
      await page.keyboard.press('Tab');
      await expect
        .poll(() => savedText(page), { message: path })
        .toBe(text.replace('num_workers: 4', 'num_workers: 0'));
    }
    expect(complaints).toEqual(SILENT);
  });

  test('of a folder are opened with their paths, renamed, and saved as a zip or into a folder', async () => {
    const { page, complaints } = await open();
    // The browser's own picker cannot be driven; the private folder of the page stands in for what it gives.
    await page.evaluate(() =>
      Object.assign(window, { showDirectoryPicker: () => navigator.storage.getDirectory() }),
    );
    const data = await page.evaluateHandle(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(['data: {}\n'], 'one.yaml'));
      transfer.items.add(new File(['model: {}\n'], 'two.yml'));
      return transfer;
    });
    await page.locator('h1').dispatchEvent('dragover', { dataTransfer: data });
    await page.getByText('Drop files or a folder to open them').waitFor();
    await page.locator('h1').dispatchEvent('drop', { dataTransfer: data });
    await page.getByRole('button', { name: 'two.yml', exact: true }).waitFor();
    const path = page.getByRole('textbox', { name: 'Path' });
    await path.fill('configs/modal/smoke two.yml');
    await page.keyboard.press('Enter');
    await path.fill('one.yaml');
    await page.keyboard.press('Enter');
    await page.getByText('one.yaml is open already.').waitFor();
    expect(await path.inputValue()).toBe('configs/modal/smoke two.yml');

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save all as a zip' }).click(),
    ]);
    const zip = readZip(new Uint8Array(readFileSync(await download.path())));
    const texts = [...zip].map(([name, bytes]) => [name, new TextDecoder().decode(bytes)]);
    expect(texts).toEqual([
      ['configs/review/tusz_train.yaml', SAVED],
      ['one.yaml', 'data: {}\n'],
      ['configs/modal/smoke two.yml', 'model: {}\n'],
    ]);
    await page.getByRole('button', { name: 'Save all into a folder' }).click();
    await page.getByText('All files were written into the folder.').waitFor({ state: 'attached' });
    const written = await page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      const folder = await (await root.getDirectoryHandle('configs')).getDirectoryHandle('modal');
      return (await (await folder.getFileHandle('smoke two.yml')).getFile()).text();
    });
    expect(written).toBe('model: {}\n');

    await page.getByRole('button', { name: 'Close one.yaml' }).click();
    await page.getByRole('button', { name: 'Open it again' }).click();
    await page.reload();
    await page.getByRole('button', { name: 'one.yaml', exact: true }).waitFor();
    expect(complaints).toEqual(SILENT);
  });

  test('of one path are opened beside each other; what is no configuration is answered with a sentence, and the page stays responsive', async () => {
    const { page, complaints } = await open();
    await choose(page, [
      { path: 'same.yaml', bytes: 'data: {}\n' },
      { path: 'same.yaml', bytes: 'model: {}\n' },
      { path: 'same.yaml', bytes: 'data: {}\n' },
    ]);
    await page
      .getByText('Another file called same.yaml is open, so this one was opened as same-2.yaml.')
      .waitFor();
    await page.getByText('same.yaml is open already, with the same text').waitFor();
    await page.getByRole('button', { name: 'same-2.yaml', exact: true }).waitFor();
    expect(await page.getByRole('list', { name: 'Open files' }).getByRole('listitem').count()).toBe(3);

    const bomb = Array.from({ length: 12 }, (_, i) => {
      const item = i === 0 ? '1' : `*a${i - 1}`;
      return `a${i}: &a${i} [${Array<string>(10).fill(item).join(',')}]`;
    });
    const files = [
      ['binary.yaml', new Uint8Array([0x89, 0x50, 0, 1]), /binary\.yaml is not a text file: byte 3 is 0/],
      ['latin.yaml', new Uint8Array([0x61, 0x3a, 0x20, 0xe9]), /latin\.yaml is not a UTF-8 text file/],
      ['bomb.yaml', bomb.join('\n'), /more than [\d,]+ values/],
      ['deep.yaml', '['.repeat(20_000), /nested more than 200 levels deep/],
      ['tabs.yaml', 'data:\n\tnum_workers: 4\n', /\btab\b.*spaces/],
      ['twice.yaml', 'data: {}\ndata: {}\n', /twice|second time|once/],
      ['several.yaml', 'data: {}\n---\ndata: {}\n', /several documents/],
    ] as const;
    // Made in the page: handing it over from here would keep its thread busy.
    const transfer = await page.evaluateHandle(() => {
      const data = new DataTransfer();
      data.items.add(new File(Array<string>(10).fill('x'.repeat(2 ** 20)), 'large.yaml'));
      return data;
    });
    // What the page does at first is done.
    await issues(page).first().waitFor();
    const large = await longestTask(page, async () => {
      await page.locator('h1').dispatchEvent('drop', { dataTransfer: transfer });
      await page.getByText(/large\.yaml is 10\.5 MB, too large/).waitFor();
    });
    expect(large).toBeLessThan(2);
    for (const [path, bytes, sentence] of files) {
      const longest = await longestTask(page, async () => {
        await choose(page, [{ path, bytes }]);
        await page.getByText(sentence).first().waitFor();
      });
      expect(longest, path).toBeLessThan(2);
    }
    expect(complaints).toEqual(SILENT);
  });
});

test('typing holds the page up for less than a long task; Tab indents, and Escape then Tab leaves the text', async () => {
  const { page, complaints } = await open();
  await tab(page, 'Form').click();
  await editor(page).click();
  await page.keyboard.press('Control+End');
  const longest = await longestTask(page, async () => {
    await page.keyboard.type('resources:\n  max_memory_gb: 12\nlogging:\n', { delay: 30 });
    // Looking for something here would run the test's own code in the page.
    await page.waitForTimeout(1500);
  });
  expect(longest).toBeLessThan(1);
  expect(await page.getByRole('textbox', { name: 'max_memory_gb' }).inputValue()).toBe('12');

  const inText = () => editor(page).evaluate((element) => element.contains(document.activeElement));
  await page.keyboard.press('Tab');
  expect(await inText()).toBe(true);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  expect(await inText()).toBe(false);
  // Whoever came by Tab and types nothing goes on by Tab.
  await editor(page).focus();
  await page.keyboard.press('Tab');
  expect(await inText()).toBe(false);
  expect(complaints).toEqual(SILENT);
});

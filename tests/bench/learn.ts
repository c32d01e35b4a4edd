/** The whole product in one number: a detector trained in Chromium on synthetic patients, scored on those it never saw. */
import { build, serve } from '../built';
import { launchChromium } from '../chromium';

const WANTED = 0.9;
const LIMIT_S = 900;
const SETTINGS = {
  'Base width': '4',
  Layers: '1',
  Epochs: '5',
  'Windows in a batch': '4',
  'Learning rate': '0.003',
  'Updates of an epoch': '40',
} as const;

/** Command `bench-learn`. Returns 1 when the best AUROC is not above 0.9, or when the page complained. */
export async function main(): Promise<number> {
  build();
  const server = await serve();
  const browser = await launchChromium();
  const complaints: string[] = [];
  try {
    const page = await browser.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    await page.goto(`${server.url}#/train`);
    await page.locator('summary', { has: page.getByRole('heading', { name: 'What is trained' }) }).click();
    for (const [label, value] of Object.entries(SETTINGS)) {
      // A label that holds a list has the list's words in its name; another field's name ends in 'updates of an epoch'.
      const field = page.getByLabel(label, { exact: label === 'Updates of an epoch' });
      if (label === 'Base width') await field.selectOption(value);
      else await field.fill(value);
    }
    const started = performance.now();
    await page.getByRole('button', { name: 'Start training' }).click();
    const ended = page.getByTestId('phase').filter({ hasText: /All epochs done|Stopped|error/ });
    await ended.waitFor({ timeout: LIMIT_S * 1000 });
    const seconds = (performance.now() - started) / 1000;
    const auroc = Number(await page.getByTestId('auroc').first().textContent());
    console.log(
      `${await ended.textContent()}: best AUROC ${auroc} on held-out patients after ${seconds.toFixed(0)} s`,
    );
    for (const complaint of complaints) console.error(complaint);
    return auroc > WANTED && complaints.length === 0 ? 0 : 1;
  } finally {
    await browser.close();
    await server.close();
  }
}

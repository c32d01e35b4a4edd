import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { startApp, type App } from './app';

let app: App;
beforeAll(async () => {
  app = await startApp();
});

test('the page opens without an error and without a request to another origin', async () => {
  const { page, complaints } = await app.open('#/learn/mamba');
  await page.waitForLoadState('networkidle');
  expect(complaints).toEqual({ console: [], page: [], foreign: [] });
});

// Worker scripts are among the files: a worker obeys the header of its own script.
test('every file of the built app is served with the policy', async () => {
  const { page } = await app.open('#/learn/mamba');
  const files = readdirSync(join(import.meta.dirname, '../../dist'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).split(`${sep}dist${sep}`)[1]?.replaceAll(sep, '/'));
  expect(files).toContain('index.html');
  for (const file of files) {
    const response = await page.request.get(`${app.url}${file}`);
    const policy = response.headers()['content-security-policy'];
    expect(policy, file).toMatch(/^default-src 'none'; script-src 'self';/);
    expect(policy, file).toContain("connect-src 'self'");
  }
});

test('the page cannot fetch from another origin', async () => {
  const { page, complaints } = await app.open('#/learn/mamba');
  const directive = await page.evaluate(async () => {
    const violation = new Promise<string>((resolve) => {
      document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective));
    });
    await fetch('https://example.com/').catch(() => undefined);
    return violation;
  });
  expect(directive).toBe('connect-src');
  expect(complaints.foreign).toEqual([]);
});

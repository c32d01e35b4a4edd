import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { Page, Route } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { newProfile, startApp, type App } from './app';

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
    expect(response.headers(), file).toMatchObject({
      'connection-allowlist': '(response-origin)',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'permissions-policy': expect.stringContaining('camera=()') as string,
    });
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

const proof = async (page: Page): Promise<string[]> => {
  await page.getByRole('button', { name: 'Prove it' }).click();
  const ways = page.getByRole('dialog').getByRole('listitem');
  await ways.first().waitFor();
  return ways.allTextContents();
};

test('every way to send a byte to another origin is blocked, and the page shows it', async () => {
  const { page, complaints } = await app.open('#/runs');
  expect(await proof(page)).toEqual(
    ['fetch', 'image', 'beacon', 'WebSocket', 'worker', 'WebRTC'].map((way) => `${way}: blocked`),
  );
  expect(complaints.page).toEqual([]);
});

test('what is not blocked, or not even tried, is not called blocked', async () => {
  const { page } = await app.open();
  await page.route(app.url, async (route) => {
    const response = await route.fetch();
    const { 'connection-allowlist': _, ...headers } = response.headers();
    await route.fulfill({ response, headers });
  });
  await page.goto(`${app.url}?open#/runs`);
  await page.goto(`${app.url}#/runs`);
  expect((await proof(page)).at(-1)).toBe('WebRTC: not blocked');

  await page.addInitScript(() =>
    Object.assign(window, {
      RTCPeerConnection: class {
        constructor() {
          throw new DOMException('switched off');
        }
      },
    }),
  );
  await page.reload();
  expect((await proof(page)).at(-1)).toBe('WebRTC: not tried');
});

test('no text becomes a script: only the app’s own files, Svelte’s templates apart', async () => {
  const { page, complaints } = await app.open('#/runs');
  const thrown = await page.evaluate(() => {
    const why = (act: () => unknown): string => {
      try {
        act();
        return 'nothing';
      } catch (error) {
        return String(error);
      }
    };
    return [
      why(() => (document.createElement('p').innerHTML = '<b>text</b>')),
      why(() => (document.createElement('script').text = 'text()')),
      why(() => new Worker('https://smokescan.invalid/worker.js')),
      why(() => new Worker('data:text/javascript,0')),
      why(() => new Worker(URL.createObjectURL(new Blob(['0'])))),
    ];
  });
  expect(thrown).toEqual([
    expect.stringContaining("requires 'TrustedHTML'"),
    expect.stringContaining("requires 'TrustedScript'"),
    expect.stringContaining('not from https://smokescan.invalid'),
    expect.stringContaining('not from data:'),
    'nothing',
  ]);
  expect(complaints.page).toEqual([]);
});

test('no files are opened where a host sends no policy with workers, or where the page is framed', async () => {
  const context = await app.browser.newContext();
  const page = await context.newPage();
  await context.route('**/*.js', async (route) => {
    const response = await route.fetch();
    const headers = { ...response.headers() };
    delete headers['content-security-policy'];
    delete headers['connection-allowlist'];
    await route.fulfill({ response, headers });
  });
  await page.goto(`${app.url}#/runs`);
  await page.getByText('This host does not send the security policy with every file').waitFor();
  expect(await page.getByLabel('Open a checkpoint').isDisabled()).toBe(true);
  await context.unrouteAll({ behavior: 'ignoreErrors' });
  await context.close();

  const framing = await app.browser.newContext();
  const outer = await framing.newPage();
  await framing.route('**/*', async (route) => {
    if (route.request().resourceType() !== 'document') return route.continue();
    if (route.request().url().endsWith('/outer'))
      return route.fulfill({ contentType: 'text/html', body: `<iframe src="${app.url}#/runs"></iframe>` });
    const response = await route.fetch();
    const headers = { ...response.headers() };
    for (const name of ['content-security-policy', 'connection-allowlist']) delete headers[name];
    return route.fulfill({ response, headers });
  });
  await outer.goto(`${app.url}outer`);
  await outer.frameLocator('iframe').getByText('This page is shown inside another page').waitFor();
  await framing.unrouteAll({ behavior: 'ignoreErrors' });
  await framing.close();
});

test.each([
  ['is not there', (route: Route) => route.abort()],
  ['never answers', () => undefined],
])('no files are opened where the worker that checks the policy %s', async (_, answer) => {
  const context = await newProfile(app.browser);
  const page = await context.newPage();
  // Nobody waits a minute for what does not come.
  await page.clock.install();
  await context.route(/fence_worker/, answer);
  await page.goto(`${app.url}#/runs`);
  await page.getByText('No runs yet').waitFor();
  await page.clock.runFor(61_000);
  await page.getByText('The worker that checks whether the security policy holds did not start').waitFor();
  expect(await page.getByLabel('Open a checkpoint').isDisabled()).toBe(true);
  await context.close();
});

test('a folder for copies that a browser has closed since is named, and allowed again by one click', async () => {
  const context = await newProfile(app.browser);
  // The private folder of the page, which no browser closes: what the browser says of it is set here.
  await context.addInitScript(() => {
    Object.assign(window, { showDirectoryPicker: () => navigator.storage.getDirectory() });
    let state: PermissionState = sessionStorage.getItem('closed') ? 'prompt' : 'granted';
    Object.assign(FileSystemHandle.prototype, {
      queryPermission: () => Promise.resolve(state),
      requestPermission: () => Promise.resolve((state = 'granted')),
    });
  });
  const page = await context.newPage();
  await page.goto(`${app.url}#/runs`);
  await page.getByRole('button', { name: 'Keep copies in a folder' }).click();
  await page.getByText('0 runs copied').waitFor();
  await page.evaluate(() => sessionStorage.setItem('closed', 'yes'));
  for (const place of ['#/train', '#/runs']) {
    await page.goto(`${app.url}?${place.slice(2)}${place}`);
    const notice = page.getByRole('status').filter({ hasText: 'until you allow it again' });
    await notice.getByRole('button', { name: 'Allow' }).click();
    await notice.waitFor({ state: 'detached' });
    await page.getByText('0 runs copied').waitFor();
  }
  await page.getByRole('button', { name: 'Stop copying' }).click();
  await page.getByRole('button', { name: 'Keep copies in a folder' }).waitFor();
  await context.close();
});

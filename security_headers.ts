/** The headers with which the app is served, and files with which static hosts send them. */

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self' data: blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "manifest-src 'self'",
  "require-trusted-types-for 'script'",
  // src/base/trusted_types.ts, and Svelte's for the templates of its components.
  'trusted-types default svelte-trusted-html',
].join('; ');

/** As far as a page can say it itself; workers obey the headers of their own files alone. */
export const POLICY_IN_PAGE = policy;

/** Features that the app has no use for. */
const UNUSED = ['camera', 'microphone', 'geolocation', 'usb', 'serial', 'hid', 'midi', 'payment'];

/** A worker obeys the policy of its own response, not the page's, so these stand on every file. */
export const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': `${policy}; frame-ancestors 'none'`,
  // Navigation and WebRTC, which no content policy covers.
  'Connection-Allowlist': '(response-origin)',
  'Permissions-Policy': UNUSED.map((feature) => `${feature}=()`).join(', '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

/** Of the lessons alone, which open no files: other sites may frame them. */
const { 'Cross-Origin-Opener-Policy': _, ...others } = HEADERS;
export const LESSON_HEADERS: typeof HEADERS = {
  ...others,
  'Content-Security-Policy': policy,
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

const lines = (headers: typeof HEADERS, line: (name: string, value: string) => string): string =>
  Object.entries(headers)
    .map(([name, value]) => line(name, value))
    .join('\n');

/** Files by the name that a host looks for: Netlify and Cloudflare Pages, Apache, Vercel, nginx (to be included in its `server`). */
export const hostFiles = (headers: typeof HEADERS): Readonly<Record<string, string>> => ({
  _headers: `/*\n${lines(headers, (name, value) => `  ${name}: ${value}`)}\n`,
  '.htaccess': `${lines(headers, (name, value) => `Header always set ${name} "${value}"`)}\n`,
  'vercel.json': `${JSON.stringify(
    {
      headers: [
        { source: '/(.*)', headers: Object.entries(headers).map(([key, value]) => ({ key, value })) },
      ],
    },
    null,
    2,
  )}\n`,
  'nginx.conf': `${lines(headers, (name, value) => `add_header ${name} "${value}" always;`)}\n`,
});

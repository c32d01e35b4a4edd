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
].join('; ');

/** As far as a page can say it itself; workers obey the headers of their own files alone. */
export const POLICY_IN_PAGE = policy;

/** Features that the app has no use for. */
const UNUSED = [
  'camera',
  'microphone',
  'geolocation',
  'usb',
  'serial',
  'hid',

  'midi',
  'payment',
];

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

const lines = (line: (name: string, value: string) => string): string =>
  Object.entries(HEADERS)
    .map(([name, value]) => line(name, value))
    .join('\n');

/** By the name that a host looks for: Netlify and Cloudflare Pages, Apache, Vercel, nginx (to be included in its `server`). */
export const HOST_FILES: Readonly<Record<string, string>> = {
  _headers: `/*\n${lines((name, value) => `  ${name}: ${value}`)}\n`,
  '.htaccess': `${lines((name, value) => `Header always set ${name} "${value}"`)}\n`,
  'vercel.json': `${JSON.stringify(
    {
      headers: [
        { source: '/(.*)', headers: Object.entries(HEADERS).map(([key, value]) => ({ key, value })) },
      ],
    },
    null,
    2,
  )}\n`,
  'nginx.conf': `${lines((name, value) => `add_header ${name} "${value}" always;`)}\n`,
};

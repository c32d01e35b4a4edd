/**
 * Where WebGPU works and how to get it, per browser. Versions are those of the list that the WebGPU group keeps
 * (https://github.com/gpuweb/gpuweb/wiki/Implementation-Status, April 2026).
 */

export type BrowserName = 'chromium' | 'safari' | 'firefox';

export interface Step {
  readonly text: string;
  /** What is to be typed. */
  readonly code?: string;
}

export interface BrowserAdvice {
  readonly name: BrowserName;
  readonly label: string;
  readonly works: string;
  readonly todo: readonly Step[];
}

export const browsers: readonly BrowserAdvice[] = [
  {
    name: 'chromium',
    label: 'Chrome, Edge and other Chromium browsers',
    works:
      'From version 113 on Windows, macOS and ChromeOS, from 121 on Android 12 and later, on Linux from 144 with ' +
      'Intel graphics (12th generation and later) and from 147 with NVIDIA (driver 535.183 and later).',
    todo: [
      {
        text: 'Update the browser. The line “WebGPU” at this address says what is in the way:',
        code: 'chrome://gpu',
      },
      {
        text: 'Turn on “Use graphics acceleration when available” and restart the browser:',
        code: 'chrome://settings/system',
      },
      {
        text: 'On other Linux machines and on Windows for ARM, enable “Unsafe WebGPU Support”:',
        code: 'chrome://flags/#enable-unsafe-webgpu',
      },
      {
        text: 'Where that is not enough on Linux, start the browser from a terminal:',
        code: 'google-chrome --enable-unsafe-webgpu --ozone-platform=x11 --use-angle=vulkan --enable-features=Vulkan,VulkanFromANGLE',
      },
    ],
  },
  {
    name: 'safari',
    label: 'Safari',
    works: 'From version 26 on macOS, iOS, iPadOS and visionOS 26.',
    todo: [
      {
        text: 'Update the system. Browsers on an iPhone or iPad are Safari underneath: this goes for all of them.',
      },
      {
        text:
          'In Safari 18 on a Mac: Settings, Advanced, “Show features for web developers”; then Feature Flags, ' +
          '“WebGPU”.',
      },
    ],
  },
  {
    name: 'firefox',
    label: 'Firefox',
    works: 'From version 141 on Windows, from 147 on Macs with Apple silicon (from 145 with macOS 26).',
    todo: [
      { text: 'Update the browser.' },
      {
        text: 'On Linux use Firefox Nightly, or set this to true in about:config and restart:',
        code: 'dom.webgpu.enabled',
      },
    ],
  },
];

/** Which of them this browser seems to be; a wrong guess only changes the order of the advice. */
export function guessBrowser(userAgent: string): BrowserName {
  if (/firefox/i.test(userAgent)) return 'firefox';
  return /chrom(e|ium)|edg\//i.test(userAgent) ? 'chromium' : 'safari';
}

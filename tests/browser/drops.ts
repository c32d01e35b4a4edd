/** Files on the page, as from a file manager. */
import type { Page } from 'playwright-core';

export interface TestFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Drops files on the page, as from a file manager. */
export const drop = (page: Page, files: readonly TestFile[]): Promise<void> =>
  page.evaluate(
    (list) => {
      const dataTransfer = new DataTransfer();
      for (const { name, bytes } of list)
        dataTransfer.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name));
      for (const type of ['dragover', 'drop'])
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    },
    files.map(({ path, bytes }) => ({
      name: path.split('/').at(-1) ?? '',
      bytes: Buffer.from(bytes).toString('base64'),
    })),
  );

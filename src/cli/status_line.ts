import { visible } from '../base/text';
import { isQuiet, print } from './print';

/** One line that is written over, where standard error is a terminal, and lines that stay. */
export function statusLine(): { line: (text: string) => void; say: (text: string) => void } {
  const line = (text: string): void => {
    if (process.stderr.isTTY && !isQuiet()) process.stderr.write(`\r\x1b[K${visible(text)}`);
  };
  const say = (text: string): void => {
    line('');
    print(text);
  };
  return { line, say };
}

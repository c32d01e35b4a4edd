/** One line that is written over, where standard error is a terminal, and lines that stay. */
export function statusLine(): { line: (text: string) => void; say: (text: string) => void } {
  const line = (text: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  };
  const say = (text: string): void => {
    line('');
    console.log(text);
  };
  return { line, say };
}

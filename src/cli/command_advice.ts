/** What to do where a command failed: there is no page to reload, and no browser to change. */
import type { Advice } from '../run/failure';

const REPORT =
  'It is a fault of this program or of the graphics driver. Update the driver; if it comes again, report it with this message.';

export const COMMAND_ADVICE: Advice = {
  unsupported: 'Install or update the graphics driver, and start the command again.',
  compilation: REPORT,
  validation: REPORT,
  internal: `Start the command again. ${REPORT}`,
  unexpected: 'Start the command again. If it comes again, report it with this message.',
  'out-of-memory':
    'Give a smaller --width or --batch, or close other programs that use the GPU, and start the command again.',
  'not-finite':
    'Give a lower --rate or another --seed, or --precision float32. If it happens with every seed, this GPU computes wrongly: update its driver.',
};

/** Events as columns that grow: an object for each would take ten times as much. */
import { several } from '../../base/text';
import { SnapshotError, type DeviceTrace } from './snapshot';

const MAX_EVENTS = 16_000_000;
const FIRST = 1024;

export class EventColumns {
  #columns = allocate(FIRST);
  #length = 0;

  /** The number of the event. Throws SnapshotError where there are too many. */
  add(action: number, address: number, size: number, stack: number, time: number): number {
    if (this.#length === this.#columns.action.length) this.#grow();
    const at = this.#length++;
    const { action: actions, address: addresses, size: sizes, stack: stacks, time: times } = this.#columns;
    actions[at] = action;
    addresses[at] = address;
    sizes[at] = size;
    stacks[at] = stack;
    times[at] = time;
    return at;
  }

  /** Views of `count` events. */
  part(first: number, count: number): DeviceTrace {
    const { action, address, size, stack, time } = this.#columns;
    const end = first + count;
    return {
      action: action.subarray(first, end),
      address: address.subarray(first, end),
      size: size.subarray(first, end),
      stack: stack.subarray(first, end),
      time: time.subarray(first, end),
    };
  }

  #grow(): void {
    const { length } = this.#columns.action;
    if (length >= MAX_EVENTS)
      throw new SnapshotError(
        `The snapshot has more than ${several(MAX_EVENTS, 'event')}. Record fewer, with max_entries of torch.cuda.memory._record_memory_history().`,
      );
    const larger = allocate(Math.min(MAX_EVENTS, 2 * length));
    larger.action.set(this.#columns.action);
    larger.address.set(this.#columns.address);
    larger.size.set(this.#columns.size);
    larger.stack.set(this.#columns.stack);
    larger.time.set(this.#columns.time);
    this.#columns = larger;
  }
}

const allocate = (length: number) => ({
  action: new Uint8Array(length),
  address: new Float64Array(length),
  size: new Float64Array(length),
  stack: new Int32Array(length),
  time: new Float64Array(length),
});

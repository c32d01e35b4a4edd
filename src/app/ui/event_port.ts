import { transfer } from 'comlink';

/** What a worker says of the run that it does for a page: one run at a time. */
export class EventPort<Event> {
  #port: MessagePort | null = null;

  get isOpen(): boolean {
    return this.#port !== null;
  }

  /** The worker's end, to be handed over in a call. What comes over it is handled until `close`. */
  open(handle: (event: Event) => void): MessagePort {
    this.close();
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }: MessageEvent<Event>) => handle(data);
    return transfer(port2, [port2]);
  }

  close(): void {
    this.#port?.close();
    this.#port = null;
  }
}

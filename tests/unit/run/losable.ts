/** The same GPU, but `lose` takes its latest device away, as a driver may at any time. */
export function losable(gpu: GPU): { gpu: GPU; lose: () => void } {
  let created: GPUDevice | undefined;
  const requestAdapter = async (options?: GPURequestAdapterOptions): Promise<GPUAdapter | null> => {
    const adapter = await gpu.requestAdapter(options);
    if (!adapter) return null;
    const requestDevice = async (descriptor?: GPUDeviceDescriptor): Promise<GPUDevice> =>
      (created = await adapter.requestDevice(descriptor));
    return withMethods(adapter, { requestDevice });
  };
  return { gpu: withMethods(gpu, { requestAdapter }), lose: () => created?.destroy() };
}

/** `object` with some methods replaced; the others are called on `object` itself. */
function withMethods<T extends object>(object: T, methods: Partial<T>): T {
  return new Proxy(object, {
    get: (target, name) => Reflect.get(name in methods ? methods : target, name) as unknown,
  });
}

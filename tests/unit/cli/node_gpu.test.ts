import { performance } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { requestNodeGpu } from '../../../src/cli/node_gpu';

test('the GPU of Node computes, and its timestamps are not quantized', async () => {
  const gpu = await requestNodeGpu();
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error('no adapter');
  const timed = adapter.features.has('timestamp-query');
  const device = await adapter.requestDevice({ requiredFeatures: timed ? ['timestamp-query'] : [] });
  const code = `
    @group(0) @binding(0) var<storage, read_write> values: array<f32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
      values[id.x] = f32(id.x) * 0.5;
    }`;
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }) },
  });
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ, QUERY_RESOLVE } = GPUBufferUsage;
  const values = device.createBuffer({ size: 256, usage: STORAGE | COPY_SRC });
  const times = device.createBuffer({ size: 16, usage: QUERY_RESOLVE | COPY_SRC });
  const staging = device.createBuffer({ size: 272, usage: MAP_READ | COPY_DST });
  const encoder = device.createCommandEncoder();
  const querySet = timed ? device.createQuerySet({ type: 'timestamp', count: 2 }) : undefined;
  const pass = encoder.beginComputePass(
    querySet && { timestampWrites: { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 } },
  );
  pass.setPipeline(pipeline);
  const entries = [{ binding: 0, resource: { buffer: values } }];
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(1);
  pass.end();
  if (querySet) encoder.resolveQuerySet(querySet, 0, 2, times, 0);
  encoder.copyBufferToBuffer(values, 0, staging, 0, 256);
  encoder.copyBufferToBuffer(times, 0, staging, 256, 16);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const bytes = staging.getMappedRange();

  expect(Array.from(new Float32Array(bytes, 0, 64))).toEqual(Array.from({ length: 64 }, (_, i) => i / 2));
  const [start = 0n, end = 0n] = new BigUint64Array(bytes, 256, 2);
  // Quantized timestamps are multiples of 65,536 ns.
  if (timed) expect((start | end) & 0xffffn).not.toBe(0n);
  device.destroy();
});

test('the event loop sleeps while the GPU computes', async () => {
  const adapter = await (await requestNodeGpu()).requestAdapter();
  if (!adapter) throw new Error('no adapter');
  const device = await adapter.requestDevice();
  const code = `
    @group(0) @binding(0) var<storage, read_write> value: u32;
    @compute @workgroup_size(1) fn main() {
      for (var i = 0u; i < 50000000u; i++) { value = value * 1664525u + 1013904223u; }
    }`;
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }) },
  });
  const buffer = device.createBuffer({ size: 4, usage: GPUBufferUsage.STORAGE });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  const entries = [{ binding: 0, resource: { buffer } }];
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(1);
  pass.end();
  device.queue.submit([encoder.finish()]);
  const begun = performance.eventLoopUtilization();
  await device.queue.onSubmittedWorkDone();
  expect(performance.eventLoopUtilization(begun).utilization).toBeLessThan(0.5);
  device.destroy();
});

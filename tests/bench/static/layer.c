/*
 * A Vulkan layer for drivers without their hardware: Mesa's RADV (AMD) has a device of its own for that, ANV (Intel) runs on
 * Mesa's drm-shim. Both compile shaders and can do little else. The layer passes what compiling needs to the driver, pretends
 * that all else succeeded, and writes down what the driver's compiler says of each compute pipeline.
 *
 * Passed down: instances, devices, buffers, layouts, shader modules, pipelines.
 * Answered here: commands, submits and waits (nothing happens, all is signalled), memory (zeros), descriptors, fences,
 *   semaphores, queries (numbers that mean nothing). So whatever a program reads back is 0. Graphics is not provided for.
 *
 * STATIC_LOG names a file that gets a line of JSON for each pipeline (for each SIMD width, where Intel compiles several): the
 * driver's statistics under its own names, `simd`, and `isa`, the assembly's file in the folder STATIC_ISA.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vulkan/vulkan.h>
#include <vulkan/vk_layer.h>

/* There is one driver, so one set of its functions. */
static VkInstance instance;
static PFN_vkGetInstanceProcAddr instance_function;
static PFN_vkGetDeviceProcAddr device_function;
static VkDevice device;
#define DRIVER(name) ((PFN_##name)device_function(device, #name))

/* ---- pretended ---- */

static VkResult ok(void) { return VK_SUCCESS; }
static void nothing(void) {}

static uint64_t number(void) {
  static uint64_t given = 4096;
  return __atomic_add_fetch(&given, 8, __ATOMIC_SEQ_CST);
}

static VkResult create(VkDevice d, const void *info, const void *allocator, uint64_t *handle) {
  *handle = number();
  return VK_SUCCESS;
}

static VkResult descriptor_sets(VkDevice d, const VkDescriptorSetAllocateInfo *info, VkDescriptorSet *sets) {
  for (uint32_t i = 0; i < info->descriptorSetCount; i++) sets[i] = (VkDescriptorSet)number();
  return VK_SUCCESS;
}

static VkResult counter(VkDevice d, VkSemaphore semaphore, uint64_t *value) {
  *value = UINT64_MAX >> 1;
  return VK_SUCCESS;
}

static VkResult queries(VkDevice d, VkQueryPool pool, uint32_t first, uint32_t count, size_t size, void *to, VkDeviceSize step, VkFlags f) {
  memset(to, 0, size);
  return VK_SUCCESS;
}

/* Host memory, made where it is mapped. */
struct memory {
  size_t size;
  char *bytes;
};

static VkResult allocate(VkDevice d, const VkMemoryAllocateInfo *info, const void *allocator, VkDeviceMemory *out) {
  struct memory *memory = calloc(1, sizeof *memory);
  if (!memory) return VK_ERROR_OUT_OF_HOST_MEMORY;
  memory->size = info->allocationSize;
  *out = (VkDeviceMemory)memory;
  return VK_SUCCESS;
}

static void release(VkDevice d, VkDeviceMemory handle, const void *allocator) {
  struct memory *memory = (struct memory *)handle;
  if (memory) free(memory->bytes);
  free(memory);
}

static VkResult map(VkDevice d, VkDeviceMemory handle, VkDeviceSize from, VkDeviceSize size, VkFlags flags, void **to) {
  struct memory *memory = (struct memory *)handle;
  if (!memory->bytes) memory->bytes = calloc(1, memory->size);
  if (!memory->bytes) return VK_ERROR_MEMORY_MAP_FAILED;
  *to = memory->bytes + from;
  return VK_SUCCESS;
}

/* VkMemoryMapInfo; older headers lack it. */
struct mapping {
  VkStructureType type;
  const void *next;
  VkFlags flags;
  VkDeviceMemory memory;
  VkDeviceSize from, size;
};

static VkResult map2(VkDevice d, const struct mapping *m, void **to) { return map(d, m->memory, m->from, m->size, m->flags, to); }

/* The kinds of memory that a discrete GPU shows: its own, and the host's for writing and for reading. */
static void memory_kinds(VkPhysicalDevice p, VkPhysicalDeviceMemoryProperties *out) {
  const VkMemoryPropertyFlags own = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
  const VkMemoryPropertyFlags host = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  memset(out, 0, sizeof *out);
  out->memoryHeapCount = 2;
  out->memoryHeaps[0] = (VkMemoryHeap){16ull << 30, VK_MEMORY_HEAP_DEVICE_LOCAL_BIT};
  out->memoryHeaps[1] = (VkMemoryHeap){16ull << 30, 0};
  out->memoryTypeCount = 4;
  out->memoryTypes[0] = (VkMemoryType){own, 0};
  out->memoryTypes[1] = (VkMemoryType){host, 1};
  out->memoryTypes[2] = (VkMemoryType){own | host, 0};
  out->memoryTypes[3] = (VkMemoryType){host | VK_MEMORY_PROPERTY_HOST_CACHED_BIT, 1};
}

static void memory_kinds2(VkPhysicalDevice p, VkPhysicalDeviceMemoryProperties2 *out) { memory_kinds(p, &out->memoryProperties); }

static void needs(VkDevice d, VkBuffer buffer, VkMemoryRequirements *out) {
  DRIVER(vkGetBufferMemoryRequirements)(d, buffer, out);
  out->memoryTypeBits = 15;
}

static void needs2(VkDevice d, const VkBufferMemoryRequirementsInfo2 *info, VkMemoryRequirements2 *out) {
  DRIVER(vkGetBufferMemoryRequirements2)(d, info, out);
  out->memoryRequirements.memoryTypeBits = 15;
}

/* ---- written down ---- */

static void put_text(FILE *out, const char *text) {
  fputc('"', out);
  for (; *text; text++)
    if (*text == '"' || *text == '\\') fprintf(out, "\\%c", *text);
    else if (*text >= ' ') fputc(*text, out);
  fputc('"', out);
}

static void put_statistics(FILE *out, VkDevice d, const VkPipelineExecutableInfoKHR *which) {
  uint32_t count = 0;
  DRIVER(vkGetPipelineExecutableStatisticsKHR)(d, which, &count, NULL);
  VkPipelineExecutableStatisticKHR *all = calloc(count + 1, sizeof *all);
  for (uint32_t i = 0; i < count; i++) all[i].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR;
  DRIVER(vkGetPipelineExecutableStatisticsKHR)(d, which, &count, all);
  for (uint32_t i = 0; i < count; i++) {
    fputc(',', out);
    put_text(out, all[i].name);
    switch (all[i].format) {
      case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_BOOL32_KHR: fprintf(out, ":%u", all[i].value.b32); break;
      case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_INT64_KHR: fprintf(out, ":%lld", (long long)all[i].value.i64); break;
      case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_UINT64_KHR: fprintf(out, ":%llu", (unsigned long long)all[i].value.u64); break;
      default: fprintf(out, ":%g", all[i].value.f64);
    }
  }
  free(all);
}

static void put_assembly(FILE *out, VkDevice d, const VkPipelineExecutableInfoKHR *which) {
  static int files;
  uint32_t count = 0;
  DRIVER(vkGetPipelineExecutableInternalRepresentationsKHR)(d, which, &count, NULL);
  VkPipelineExecutableInternalRepresentationKHR *all = calloc(count + 1, sizeof *all);
  for (uint32_t i = 0; i < count; i++) all[i].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INTERNAL_REPRESENTATION_KHR;
  /* Once for the sizes, once for the texts. */
  DRIVER(vkGetPipelineExecutableInternalRepresentationsKHR)(d, which, &count, all);
  for (uint32_t i = 0; i < count; i++) all[i].pData = calloc(1, all[i].dataSize + 1);
  DRIVER(vkGetPipelineExecutableInternalRepresentationsKHR)(d, which, &count, all);
  for (uint32_t i = 0; i < count; i++) {
    if (strstr(all[i].name, "Assembly")) {
      char path[4096];
      snprintf(path, sizeof path, "%s/%d.s", getenv("STATIC_ISA"), __atomic_fetch_add(&files, 1, __ATOMIC_SEQ_CST));
      FILE *file = fopen(path, "w");
      if (file) fputs(all[i].pData, file), fclose(file);
      fprintf(out, ",\"isa\":");
      put_text(out, path);
    }
    free(all[i].pData);
  }
  free(all);
}

static void write_down(VkDevice d, VkPipeline pipeline) {
  VkPipelineInfoKHR info = {VK_STRUCTURE_TYPE_PIPELINE_INFO_KHR, NULL, pipeline};
  VkPipelineExecutablePropertiesKHR made[8] = {0};
  uint32_t count = 8;
  for (uint32_t i = 0; i < count; i++) made[i].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_PROPERTIES_KHR;
  if (DRIVER(vkGetPipelineExecutablePropertiesKHR)(d, &info, &count, made) < 0) return;
  for (uint32_t i = 0; i < count; i++) {
    VkPipelineExecutableInfoKHR which = {VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR, NULL, pipeline, i};
    char *line;
    size_t size;
    FILE *out = open_memstream(&line, &size);
    fprintf(out, "{\"simd\":%u", made[i].subgroupSize);
    put_statistics(out, d, &which);
    put_assembly(out, d, &which);
    fprintf(out, "}\n");
    fclose(out);
    /* One write a line, as threads share the file. */
    int file = open(getenv("STATIC_LOG"), O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (file < 0 || write(file, line, size) != (ssize_t)size) fprintf(stderr, "layer.c: cannot write to STATIC_LOG\n");
    if (file >= 0) close(file);
    free(line);
  }
}

static VkResult pipelines(VkDevice d, VkPipelineCache cache, uint32_t count, const VkComputePipelineCreateInfo *infos,
                          const VkAllocationCallbacks *allocator, VkPipeline *out) {
  VkComputePipelineCreateInfo *asked = calloc(count, sizeof *asked);
  if (!asked) return VK_ERROR_OUT_OF_HOST_MEMORY;
  for (uint32_t i = 0; i < count; i++) {
    asked[i] = infos[i];
    asked[i].flags |= VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR | VK_PIPELINE_CREATE_CAPTURE_INTERNAL_REPRESENTATIONS_BIT_KHR;
  }
  /* A pipeline out of a cache has no statistics. */
  VkResult result = DRIVER(vkCreateComputePipelines)(d, VK_NULL_HANDLE, count, asked, allocator, out);
  free(asked);
  for (uint32_t i = 0; result == VK_SUCCESS && i < count; i++) write_down(d, out[i]);
  return result;
}

/* ---- which is which ---- */

/* Dawn looks device functions up by name; those that are not here are the driver's. */
static const struct replacement {
  const char *name;
  void *function;
} REPLACED[] = {
    {"vkCreateComputePipelines", pipelines},
    {"vkAllocateMemory", allocate}, {"vkFreeMemory", release}, {"vkMapMemory", map}, {"vkMapMemory2", map2},
    {"vkMapMemory2KHR", map2}, {"vkUnmapMemory", nothing}, {"vkUnmapMemory2", ok}, {"vkUnmapMemory2KHR", ok},
    {"vkFlushMappedMemoryRanges", ok}, {"vkInvalidateMappedMemoryRanges", ok},
    {"vkBindBufferMemory", ok}, {"vkBindBufferMemory2", ok}, {"vkBindBufferMemory2KHR", ok},
    {"vkGetBufferMemoryRequirements", needs}, {"vkGetBufferMemoryRequirements2", needs2},
    {"vkGetBufferMemoryRequirements2KHR", needs2},
    {"vkBeginCommandBuffer", ok}, {"vkEndCommandBuffer", ok}, {"vkResetCommandBuffer", ok}, {"vkResetCommandPool", ok},
    {"vkQueueSubmit", ok}, {"vkQueueSubmit2", ok}, {"vkQueueSubmit2KHR", ok}, {"vkQueueWaitIdle", ok}, {"vkDeviceWaitIdle", ok},
    {"vkCreateFence", create}, {"vkDestroyFence", nothing}, {"vkWaitForFences", ok}, {"vkResetFences", ok}, {"vkGetFenceStatus", ok},
    {"vkCreateSemaphore", create}, {"vkDestroySemaphore", nothing}, {"vkGetSemaphoreCounterValue", counter},
    {"vkWaitSemaphores", ok}, {"vkWaitSemaphoresKHR", ok}, {"vkSignalSemaphore", ok}, {"vkSignalSemaphoreKHR", ok},
    {"vkCreateQueryPool", create}, {"vkDestroyQueryPool", nothing}, {"vkResetQueryPool", nothing},
    {"vkResetQueryPoolEXT", nothing}, {"vkGetQueryPoolResults", queries},
    {"vkCreateDescriptorPool", create}, {"vkDestroyDescriptorPool", nothing}, {"vkResetDescriptorPool", ok},
    {"vkAllocateDescriptorSets", descriptor_sets}, {"vkFreeDescriptorSets", ok}, {"vkUpdateDescriptorSets", nothing},
};

static VkResult create_instance(const VkInstanceCreateInfo *info, const VkAllocationCallbacks *allocator, VkInstance *out) {
  VkLayerInstanceCreateInfo *link = (void *)info->pNext;
  while (link && (link->sType != VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO || link->function != VK_LAYER_LINK_INFO))
    link = (void *)link->pNext;
  if (!link) return VK_ERROR_INITIALIZATION_FAILED;
  instance_function = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  VkResult result = ((PFN_vkCreateInstance)instance_function(NULL, "vkCreateInstance"))(info, allocator, out);
  instance = *out;
  return result;
}

/* Asks for the extension whose statistics are written down, too. */
static VkResult create_device(VkPhysicalDevice p, const VkDeviceCreateInfo *info, const VkAllocationCallbacks *allocator, VkDevice *out) {
  VkLayerDeviceCreateInfo *link = (void *)info->pNext;
  while (link && (link->sType != VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO || link->function != VK_LAYER_LINK_INFO))
    link = (void *)link->pNext;
  if (!link) return VK_ERROR_INITIALIZATION_FAILED;
  PFN_vkGetInstanceProcAddr below = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  device_function = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;

  uint32_t count = info->enabledExtensionCount;
  const char *extensions[count + 1];
  for (uint32_t i = 0; i < count; i++) extensions[i] = info->ppEnabledExtensionNames[i];
  extensions[count] = VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME;
  VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR feature = {
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR, (void *)info->pNext, VK_TRUE};
  VkDeviceCreateInfo asked = *info;
  asked.pNext = &feature;
  asked.enabledExtensionCount = count + 1;
  asked.ppEnabledExtensionNames = extensions;
  VkResult result = ((PFN_vkCreateDevice)below(instance, "vkCreateDevice"))(p, &asked, allocator, out);
  device = *out;
  return result;
}

#define VISIBLE __attribute__((visibility("default"))) VKAPI_ATTR

VISIBLE PFN_vkVoidFunction VKAPI_CALL layer_device_function(VkDevice d, const char *name) {
  if (!strcmp(name, "vkGetDeviceProcAddr")) return (PFN_vkVoidFunction)layer_device_function;
  if (!strncmp(name, "vkCmd", 5)) return (PFN_vkVoidFunction)nothing;
  for (size_t i = 0; i < sizeof REPLACED / sizeof *REPLACED; i++)
    if (!strcmp(name, REPLACED[i].name)) return (PFN_vkVoidFunction)REPLACED[i].function;
  return device_function(d, name);
}

VISIBLE PFN_vkVoidFunction VKAPI_CALL layer_instance_function(VkInstance i, const char *name) {
  static const struct replacement OWN[] = {
      {"vkGetInstanceProcAddr", layer_instance_function}, {"vkGetDeviceProcAddr", layer_device_function},
      {"vkCreateInstance", create_instance}, {"vkCreateDevice", create_device},
      {"vkGetPhysicalDeviceMemoryProperties", memory_kinds}, {"vkGetPhysicalDeviceMemoryProperties2", memory_kinds2},
      {"vkGetPhysicalDeviceMemoryProperties2KHR", memory_kinds2},
  };
  for (size_t k = 0; k < sizeof OWN / sizeof *OWN; k++)
    if (!strcmp(name, OWN[k].name)) return (PFN_vkVoidFunction)OWN[k].function;
  return instance_function ? instance_function(i, name) : NULL;
}

/*
 * A double of libog_torch.so: the same ABI, no libtorch, eight GPUs that fail when they are told to. Hosts are tested over it for
 * what no machine without a GPU shows (tests/Engine/Torch/TorchDeviceTests.cs).
 *
 * Every module is y = 2x over float32 [?rows, 1]. Its archive is "PK\3\4" and a decimal number: most rows that fit into the memory
 * of one call, 0 for any number. Rows of these values make a call fail:
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "og_torch.h"

#define RAISES (-1.0f)  /* forward raises */
#define ENDLESS (-2.0f) /* forward goes on until it is terminated */
#define LOSES (-3.0f)   /* the device is lost, for every module on it and for good */

#ifndef OTHER_VERSION
#define OTHER_VERSION OGT_ABI_VERSION
#endif
#ifdef NO_DRIVER
#define GPUS 0
#else
#define GPUS 8
#endif

struct ogt_module {
    atomic_int holders;
    uint32_t device;
    int32_t index;
    uint64_t fits;
};

struct ogt_session {
    ogt_module *module;
    atomic_bool stopped;
    float *output;
    uint64_t rows;
    int ready;
};

static atomic_bool lost[8];
static atomic_ullong sessions, peak, pinned, refused;

static ogt_status fail(ogt_error *error, ogt_status status, const char *text)
{
    if (error != NULL) {
        error->os_error = 0;
        snprintf(error->text, sizeof error->text, "%s", text);
    }
    return status;
}

static int on_gpu(uint32_t kind, int32_t index)
{
    return kind == OGT_CUDA && index >= 0 && index < GPUS;
}

static ogt_status missing(ogt_error *error)
{
    return fail(error, OGT_DEVICE_MISSING, GPUS == 0 ? "CUDA cannot be used: CUDA driver version is insufficient for CUDA runtime version"
                                                     : "there are 8 CUDA devices, none of that number");
}

uint32_t ogt_abi_version(void)
{
    return OTHER_VERSION;
}

size_t ogt_struct_size(uint32_t kind)
{
    static const size_t sizes[] = {sizeof(ogt_error),  sizeof(ogt_settings), sizeof(ogt_load),   sizeof(ogt_module_info), sizeof(ogt_value),
                                   sizeof(ogt_tensor), sizeof(ogt_device),   sizeof(ogt_memory), sizeof(ogt_times)};
#ifdef OTHER_LAYOUT
    if (kind == OGT_STRUCT_TENSOR) return sizeof(ogt_tensor) + 8;
#endif
    return kind < sizeof sizes / sizeof sizes[0] ? sizes[kind] : 0;
}

const char *ogt_version(void)
{
    return "double";
}

ogt_status ogt_start(const ogt_settings *settings, ogt_error *error)
{
    (void)settings;
#ifdef OTHER_LIBTORCH
    return fail(error, OGT_WRONG_LIBRARY, "this was compiled for libtorch 2.11.x, the loaded one is 1.13.1");
#else
    (void)error;
    return OGT_OK;
#endif
}

ogt_status ogt_text(uint32_t kind, char *text, size_t capacity, size_t *needed, ogt_error *error)
{
    const char *value = kind == OGT_TEXT_LIBTORCH ? "0.0.0" : kind == OGT_TEXT_NUMERICS ? "fuser=off,profiling=off,tf32=off,reduced=off,deterministic=on,ftz=host"
                        : kind == OGT_TEXT_CUDA ? "runtime 13.0, driver 13.0" : "";
    *needed = strlen(value) + 1;
    if (capacity < *needed) return fail(error, OGT_SMALL_BUFFER, "the text takes more bytes");
    memcpy(text, value, *needed);
    return OGT_OK;
}

ogt_status ogt_device_count(uint32_t kind, uint32_t *count, ogt_error *error)
{
    (void)error;
    *count = kind == OGT_CPU ? 1 : GPUS;
    return OGT_OK;
}

ogt_status ogt_device_get(uint32_t kind, int32_t index, ogt_device *device, ogt_error *error)
{
    memset(device, 0, sizeof *device);
    device->kind = kind;
    device->index = index;
    if (kind == OGT_CPU) return OGT_OK;
    if (!on_gpu(kind, index)) return missing(error);
    device->capability_major = 9;
    device->multiprocessors = 132;
    device->driver = device->runtime = 13000;
    device->total_bytes = 1u << 30;
    snprintf(device->name, sizeof device->name, "Double %d", index);
    return OGT_OK;
}

ogt_status ogt_memory_get(uint32_t kind, int32_t index, ogt_memory *memory, ogt_error *error)
{
    if (kind != OGT_CPU && !on_gpu(kind, index)) return missing(error);
    memset(memory, 0, sizeof *memory);
    memory->allocated = memory->reserved = sessions;
    memory->allocated_peak = memory->reserved_peak = peak;
    memory->pinned = pinned;
    memory->out_of_memory = refused;
    return OGT_OK;
}

ogt_status ogt_memory_reset_peak(uint32_t kind, int32_t index, ogt_error *error)
{
    (void)kind, (void)index, (void)error;
    peak = sessions;
    return OGT_OK;
}

ogt_status ogt_memory_trim(uint32_t kind, int32_t index, ogt_error *error)
{
    (void)kind, (void)index, (void)error;
    return OGT_OK;
}

ogt_status ogt_module_open(const char *path, const ogt_load *load, ogt_module **module, ogt_error *error)
{
    (void)path, (void)load;
    *module = NULL;
    return fail(error, OGT_NOT_FOUND, "the double reads no files");
}

ogt_status ogt_module_from_memory(const void *data, uint64_t size, const ogt_load *load, ogt_module **module, ogt_error *error)
{
    char number[24] = "";
    *module = NULL;
    if (size < 5 || size - 4 >= sizeof number || memcmp(data, "PK\3\4", 4) != 0) return fail(error, OGT_NOT_AN_ARCHIVE, "not an archive of the double");
    if (load->device == OGT_CUDA && !on_gpu(load->device, load->device_index)) return missing(error);
    if (load->device == OGT_CUDA && lost[load->device_index]) return fail(error, OGT_DEVICE_LOST, "CUDA error: an illegal memory access was encountered");
    memcpy(number, (const char *)data + 4, size - 4);
    ogt_module *made = calloc(1, sizeof *made);
    if (made == NULL) return fail(error, OGT_OUT_OF_MEMORY, "out of memory");
    made->holders = 1;
    made->device = load->device;
    made->index = load->device_index;
    made->fits = strtoull(number, NULL, 10);
    *module = made;
    return OGT_OK;
}

void ogt_module_free(ogt_module *module)
{
    if (module != NULL && atomic_fetch_sub(&module->holders, 1) == 1) free(module);
}

ogt_status ogt_module_describe(const ogt_module *module, ogt_module_info *info, ogt_error *error)
{
    (void)module, (void)error;
    *info = (ogt_module_info){.inputs = 1, .outputs = 1, .flags = OGT_MODULE_SIGNED | OGT_MODULE_FROZEN};
    return OGT_OK;
}

ogt_status ogt_module_value(const ogt_module *module, uint32_t direction, uint32_t index, ogt_value *value, ogt_error *error)
{
    (void)module;
    if (index != 0) return fail(error, OGT_OUT_OF_RANGE, "there is 1 value");
    memset(value, 0, sizeof *value);
    value->name[0] = direction == OGT_INPUT ? 'x' : 'y';
    value->type = OGT_TYPE_FLOAT32;
    value->rank = 2;
    value->shape[0] = -1;
    value->shape[1] = 1;
    memcpy(value->symbols[0], "rows", 5);
    return OGT_OK;
}

ogt_status ogt_session_create(ogt_module *module, ogt_session **session, ogt_error *error)
{
    *session = calloc(1, sizeof **session);
    if (*session == NULL) return fail(error, OGT_OUT_OF_MEMORY, "out of memory");
    atomic_fetch_add(&module->holders, 1);
    (*session)->module = module;
    const unsigned long long now = atomic_fetch_add(&sessions, 1) + 1;
    unsigned long long seen = peak;
    while (seen < now && !atomic_compare_exchange_weak(&peak, &seen, now)) {}
    return OGT_OK;
}

void ogt_session_free(ogt_session *session)
{
    if (session == NULL) return;
    ogt_module_free(session->module);
    free(session->output);
    free(session);
    atomic_fetch_sub(&sessions, 1);
}

/* What is wrong with the rows; OGT_OK for nothing. */
static ogt_status judge(ogt_session *session, const float *x, uint64_t rows, ogt_error *error)
{
    const ogt_module *module = session->module;
    for (uint64_t i = 0; i < rows; i++)
        if (x[i] == LOSES && module->device == OGT_CUDA) lost[module->index] = 1;
    if (module->device == OGT_CUDA && lost[module->index]) return fail(error, OGT_DEVICE_LOST, "CUDA error: an illegal memory access was encountered");
    if (module->fits != 0 && rows > module->fits) {
        atomic_fetch_add(&refused, 1);
        return fail(error, OGT_OUT_OF_MEMORY, "CUDA out of memory. Tried to allocate 2.00 GiB");
    }
    for (uint64_t i = 0; i < rows; i++) {
        if (x[i] == RAISES) return fail(error, OGT_RAISED, "a value is negative");
        while (x[i] == ENDLESS && !session->stopped) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return session->stopped ? fail(error, OGT_TERMINATED, "the call was terminated") : OGT_OK;
}

static ogt_status publish(const ogt_session *session, ogt_tensor *output, ogt_error *error)
{
    output->bytes = session->rows * sizeof(float);
    output->type = OGT_TYPE_FLOAT32;
    output->rank = 2;
    output->shape[0] = (int64_t)session->rows;
    output->shape[1] = 1;
    if (output->data == NULL) {
        output->data = session->output;
        output->capacity = 0;
        return OGT_OK;
    }
    if (output->capacity < output->bytes) return fail(error, OGT_SMALL_BUFFER, "'y' takes more bytes");
    memcpy(output->data, session->output, output->bytes);
    return OGT_OK;
}

ogt_status ogt_run(ogt_session *session, const ogt_tensor *inputs, uint32_t input_count, ogt_tensor *outputs, uint32_t output_count, ogt_error *error)
{
    session->ready = 0;
    if (input_count != 1 || output_count != 1) return fail(error, OGT_OUT_OF_RANGE, "one input and one output");
    if (inputs->rank != 2 || inputs->shape[1] != 1 || inputs->bytes != (uint64_t)inputs->shape[0] * sizeof(float)) return fail(error, OGT_WRONG_INPUT, "'x' has another shape");
    const float *x = inputs->data;
    const uint64_t rows = (uint64_t)inputs->shape[0];
    if (session->stopped) return fail(error, OGT_TERMINATED, "the session is terminated");
    const ogt_status status = judge(session, x, rows, error);
    if (status != OGT_OK) return status;
    float *grown = realloc(session->output, (rows + 1) * sizeof(float));
    if (grown == NULL) return fail(error, OGT_OUT_OF_MEMORY, "out of memory");
    session->output = grown;
    session->rows = rows;
    for (uint64_t i = 0; i < rows; i++) grown[i] = 2 * x[i];
    session->ready = 1;
    return publish(session, outputs, error);
}

ogt_status ogt_outputs(ogt_session *session, ogt_tensor *outputs, uint32_t output_count, ogt_error *error)
{
    if (!session->ready || output_count != 1) return fail(error, OGT_STATE, "the last run gave no outputs");
    return publish(session, outputs, error);
}

ogt_status ogt_session_terminate(ogt_session *session)
{
    session->stopped = 1;
    return OGT_OK;
}

ogt_status ogt_session_resume(ogt_session *session)
{
    session->stopped = 0;
    return OGT_OK;
}

ogt_status ogt_session_measure(ogt_session *session, uint32_t enabled)
{
    (void)session, (void)enabled;
    return OGT_OK;
}

ogt_status ogt_session_times(const ogt_session *session, ogt_times *times, ogt_error *error)
{
    (void)session, (void)error;
    memset(times, 0, sizeof *times);
    return OGT_OK;
}

ogt_status ogt_host_alloc(uint32_t device, uint64_t size, void **memory, ogt_error *error)
{
    (void)device;
    *memory = malloc(size);
    if (*memory == NULL) return fail(error, OGT_OUT_OF_MEMORY, "out of memory");
    atomic_fetch_add(&pinned, 1);
    return OGT_OK;
}

void ogt_host_free(uint32_t device, void *memory)
{
    (void)device;
    if (memory == NULL) return;
    free(memory);
    atomic_fetch_sub(&pinned, 1);
}

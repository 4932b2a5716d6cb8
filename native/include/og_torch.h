/*
 * og_torch.h: TorchScript modules over libtorch, on the CPU and on CUDA (libog_torch.so).
 *
 * One source for libtorch 1.13 (Debian 12) to 2.14; C++ inside, plain C here. This header is the manual.
 *
 * BEFORE LOADING  libtorch's libraries read their environment in their constructors, so the process that loads this library
 *                 sets it first, by setenv(3): a managed runtime's own environment does not reach native code. Set only what
 *                 is not set already.
 *                   OPENBLAS_CORETYPE=SkylakeX       on processors with AVX-512 (=Haswell with AVX2 alone): OpenBLAS 0.3.21
 *                                                    takes newer processors for ones of twenty years ago, 5 to 10 times slower
 *                   OMP_NUM_THREADS=1                pools that start before anybody set threads stay small
 *                   OMP_WAIT_POLICY=passive          threads of one call do not spin against other calls
 *                   CUBLAS_WORKSPACE_CONFIG=:4096:8  without it cuBLAS is not deterministic and deterministic runs are refused
 *                 dlopen it with RTLD_NOW, local. Where Debian's openmp flavour of OpenBLAS was installed at build time, the
 *                 library binds to it by its run path: the pthread flavour fights libtorch's own threads.
 * FIRST CALLS     ogt_abi_version() and ogt_struct_size() before any other function; ogt_start() before any but those two and
 *                 ogt_version(). Other functions answer OGT_STATE until then.
 * ORDER           Arguments come as: handle, inputs, outputs, error.
 * OWNERSHIP       Inputs are borrowed for the duration of the call. Handles are freed by their own function, which takes null.
 *                 A session keeps its module alive, so they may be freed in any order.
 * THREADS         A module may be used by any number of threads at once; calls of a stateful one (OGT_MODULE_STATEFUL) wait for
 *                 each other. A session by one at a time, except ogt_session_terminate: ogt_run and ogt_outputs beside another
 *                 one of the same session are OGT_STATE. Everything else is safe from any thread.
 * STATUS          Bad data and failing systems are statuses; no C++ exception leaves. `error` may be null; it is written on
 *                 failure only. Its text is for the operator: it can hold paths, source lines and messages of the module.
 * TYPES           Numbers of ONNX's TensorProto.DataType (OGT_TYPE_...). Memory is little-endian, row-major, contiguous.
 * TRUST           A TorchScript archive is a program. What is read is bounded and checked before libtorch sees it, code that
 *                 would run while loading and operators that open files are refused, and no tensor may reach outside of its
 *                 storage. It can still loop or take memory: see ogt_session_terminate and OGT_OUT_OF_MEMORY.
 * NUMBERS         Fusers and profiling are off: the first call computes as every later one does. TF32 and reductions in half
 *                 precision are off unless ogt_settings asks. ogt_text(OGT_TEXT_NUMERICS) is all of it in one line, for
 *                 fingerprints.
 */
#ifndef OG_TORCH_H
#define OG_TORCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(OG_TORCH_BUILD)
#define OGT_API __attribute__((visibility("default")))
#else
#define OGT_API
#endif

#define OGT_ABI_VERSION 1u

/* ---- Statuses and errors --------------------------------------------------------------------------------------- */

typedef int32_t ogt_status;
enum {
    OGT_OK = 0,
    OGT_NULL_ARGUMENT = 1,
    OGT_OUT_OF_RANGE = 2,     /* a size, count, index or enumeration outside of what is documented */
    OGT_STATE = 3,            /* called in the wrong order, or settings that cannot change any more */
    OGT_NOT_FOUND = 4,        /* the file cannot be opened or read; os_error says why */
    OGT_NOT_AN_ARCHIVE = 5,   /* not a TorchScript archive, or a spoiled one */
    OGT_UNSUPPORTED = 6,      /* an archive this library does not serve: a missing operator, code that runs while loading, an
                                 operator that opens files, a newer format, values that are no tensors */
    OGT_BAD_SIGNATURE = 7,    /* the signature's text is malformed or contradicts the module */
    OGT_WRONG_INPUT = 8,      /* type, rank, shape or bytes of an input are not what the signature or the call says */
    OGT_RAISED = 9,           /* the module's forward raised; the error text is its message */
    OGT_WRONG_OUTPUT = 10,    /* forward returned another number, type or shape of values than its signature */
    OGT_SMALL_BUFFER = 11,    /* an output's capacity is too small: `bytes` of each output says what it takes */
    OGT_OUT_OF_MEMORY = 12,   /* host or device memory; the session serves on */
    OGT_DEVICE_MISSING = 13,  /* no such device, no driver, or a build without CUDA; the text says which */
    OGT_DEVICE_LOST = 14,     /* the device failed in a way that only a new process mends: every later call on it ends so too */
    OGT_TERMINATED = 15,      /* ogt_session_terminate */
    OGT_WRONG_LIBRARY = 16,   /* the libtorch that was loaded is not the one this was built for, or older than 1.13 */
    OGT_SYSTEM = 17
};

typedef struct ogt_error {
    int32_t os_error; /* errno, or 0 */
    char text[508];   /* UTF-8, zero-terminated, cut at a character's border */
} ogt_error;

/* ---- Handshake ------------------------------------------------------------------------------------------------- */

enum {
    OGT_STRUCT_ERROR = 0,
    OGT_STRUCT_SETTINGS = 1,
    OGT_STRUCT_LOAD = 2,
    OGT_STRUCT_MODULE = 3,
    OGT_STRUCT_VALUE = 4,
    OGT_STRUCT_TENSOR = 5,
    OGT_STRUCT_DEVICE = 6,
    OGT_STRUCT_MEMORY = 7,
    OGT_STRUCT_TIMES = 8
};

OGT_API uint32_t ogt_abi_version(void);

/* sizeof the struct of that kind (OGT_STRUCT_...), 0 for a kind this library does not know. */
OGT_API size_t ogt_struct_size(uint32_t kind);

/* This library's version as text, static. */
OGT_API const char *ogt_version(void);

/* ---- The process ----------------------------------------------------------------------------------------------- */

/* Process-wide, as libtorch has it. All zero is the default: reproducible and exact. */
typedef struct ogt_settings {
    uint32_t allow_tf32;               /* 1: matrix products and convolutions on the GPU may round fp32 to 10 bits of mantissa */
    uint32_t allow_reduced_reductions; /* 1: half-precision products on the GPU may add up in half precision */
    uint32_t allow_nondeterministic;   /* 1: operators that are not deterministic run instead of raising */
    uint32_t flush_denormals;          /* 1: in threads that execute. 0 leaves each thread's mode as it is */
} ogt_settings;

/*
 * Once per process. A second call with the same settings is OGT_OK, with others OGT_STATE.
 * settings: null for the default. OGT_WRONG_LIBRARY when libtorch is not the version this was compiled against.
 */
OGT_API ogt_status ogt_start(const ogt_settings *settings, ogt_error *error);

enum {
    OGT_TEXT_LIBTORCH = 1,   /* version of the loaded libtorch: "1.13.1" */
    OGT_TEXT_PATH = 2,       /* path of the loaded libtorch_cpu.so, to be hashed for the fingerprint */
    OGT_TEXT_CPU = 3,        /* instruction set that libtorch's own kernels use: "AVX2", "AVX512", "DEFAULT" */
    OGT_TEXT_BLAS = 4,       /* "openblas 0.3.21 SkylakeX openmp", "mkl", or "unknown"; the third word is the core it took this one for */
    OGT_TEXT_BLAS_PATH = 5,  /* path of the BLAS that answers, "" when it is inside libtorch */
    OGT_TEXT_NUMERICS = 6,   /* settings that can change bits: "fuser=off,profiling=off,tf32=off,reduced=off,deterministic=on,ftz=host" */
    OGT_TEXT_CUDA = 7,       /* "runtime 13.0, driver 13.0, cudnn 9.10.2", or "" in a build without CUDA */
    OGT_TEXT_CONFIG = 8,     /* libtorch's own account of its build, several lines */
    OGT_TEXT_WARNING = 9     /* what makes this process slow or irreproducible: reference BLAS, a wrong core, the pthread
                                flavour; sentences, "" when there is nothing to say. For operators */
};

/*
 * A text about the process, UTF-8 with a terminating zero.
 * needed: bytes with the zero, written also on OGT_SMALL_BUFFER. text may be null when capacity is 0.
 */
OGT_API ogt_status ogt_text(uint32_t kind, char *text, size_t capacity, size_t *needed, ogt_error *error);

/* ---- Devices --------------------------------------------------------------------------------------------------- */

enum { OGT_CPU = 0, OGT_CUDA = 1 };

typedef struct ogt_device {
    uint32_t kind;
    int32_t index;
    uint32_t capability_major; /* compute capability; 0 on the CPU */
    uint32_t capability_minor;
    uint32_t multiprocessors;  /* on the CPU: logical processors this process may use */
    uint32_t driver;           /* the driver's CUDA version, 1000 * major + 10 * minor; 0 on the CPU */
    uint32_t runtime;          /* the CUDA runtime's, likewise */
    uint32_t cudnn;            /* cuDNN's version number, 0 without */
    uint64_t total_bytes;      /* the device's memory; on the CPU the machine's */
    uint64_t free_bytes;
    char name[128];            /* "NVIDIA H200"; on the CPU the processor's model name */
    char reason[256];          /* ogt_device_get of a missing device: why. Otherwise "" */
} ogt_device;

/* How many devices of that kind can be used. 0 CUDA devices is no failure: ogt_device_get says why. */
OGT_API ogt_status ogt_device_count(uint32_t kind, uint32_t *count, ogt_error *error);

/* OGT_DEVICE_MISSING fills `reason`, and the error with the same text. */
OGT_API ogt_status ogt_device_get(uint32_t kind, int32_t index, ogt_device *device, ogt_error *error);

/* Bytes of libtorch's allocator on that device. On the CPU libtorch counts nothing: all but `resident` is 0. */
typedef struct ogt_memory {
    uint64_t allocated;      /* in tensors now */
    uint64_t allocated_peak; /* since the start or ogt_memory_reset_peak */
    uint64_t reserved;       /* taken from the device, cached ones included */
    uint64_t reserved_peak;
    uint64_t pinned;         /* page-locked host memory that this library holds */
    uint64_t resident;       /* of this process, as the kernel counts it */
    uint64_t out_of_memory;  /* how often this library answered OGT_OUT_OF_MEMORY */
} ogt_memory;

OGT_API ogt_status ogt_memory_get(uint32_t kind, int32_t index, ogt_memory *memory, ogt_error *error);
OGT_API ogt_status ogt_memory_reset_peak(uint32_t kind, int32_t index, ogt_error *error);

/* Gives cached, unused device memory back. */
OGT_API ogt_status ogt_memory_trim(uint32_t kind, int32_t index, ogt_error *error);

/* ---- Modules --------------------------------------------------------------------------------------------------- */

enum {
    OGT_FREEZE_NONE = 0,    /* as it was saved */
    OGT_FREEZE = 1,         /* attributes become constants; bits stay those of the unfrozen module. The default of hosts */
    OGT_FREEZE_NUMERICS = 2 /* batch norms are folded into convolutions as well: faster, other bits */
};

/*
 * The signature: what the archive itself does not say, namely names, types and shapes of inputs and outputs. Plain text,
 * one value per line, in the order of forward's parameters and results:
 *
 *     input pixels float32 ? 64
 *     output logits float32 ? 10
 *     output embedding float32 ?rows ?length 384
 *
 * Fields are separated by one space. A dimension is a number, `?` (open), or `?name`: open, and equal wherever the name is
 * the same. Names: 1 to 127 bytes of UTF-8 without spaces or control characters, each once per direction. Types: float32
 * uint8 int8 uint16 int16 int32 int64 bool float16 float64 uint32 uint64 (three unsigned ones need libtorch 2.3). Rank at
 * most OGT_MAX_RANK; at most OGT_MAX_VALUES lines per direction, 64 KiB in all; a last line feed is allowed.
 *
 * It is looked for in this order: ogt_load.signature; the archive's extra file `opengradient.signature`
 * (torch.jit.save(module, path, _extra_files={'opengradient.signature': text})). Without either the module loads, and its
 * values have OGT_RANK_UNKNOWN and OGT_TYPE_UNKNOWN, under the names that forward's parameters have.
 *
 * Inputs are forward's parameters without self, in order; trailing ones that have a default may be left out. forward
 * returns a tensor, or a tuple of tensors that become the outputs in order.
 */
#define OGT_MAX_RANK 8
#define OGT_MAX_VALUES 64
#define OGT_RANK_UNKNOWN 0xFFFFFFFFu

enum {
    OGT_TYPE_UNKNOWN = 0,
    OGT_TYPE_FLOAT32 = 1,
    OGT_TYPE_UINT8 = 2,
    OGT_TYPE_INT8 = 3,
    OGT_TYPE_UINT16 = 4,
    OGT_TYPE_INT16 = 5,
    OGT_TYPE_INT32 = 6,
    OGT_TYPE_INT64 = 7,
    OGT_TYPE_BOOL = 9,
    OGT_TYPE_FLOAT16 = 10,
    OGT_TYPE_FLOAT64 = 11,
    OGT_TYPE_UINT32 = 12,
    OGT_TYPE_UINT64 = 13
};

typedef struct ogt_load {
    uint32_t device;        /* OGT_CPU or OGT_CUDA */
    int32_t device_index;   /* 0 on the CPU */
    uint32_t freeze;        /* OGT_FREEZE_... */
    uint32_t threads;       /* inside one call on the CPU, 1 to 256: of the calls, not of the process */
    const char *signature;  /* UTF-8, no terminator needed; null: the archive's own */
    uint64_t signature_size;
    uint64_t max_bytes;     /* most bytes of the archive unpacked; 0: 16 GiB */
} ogt_load;

typedef struct ogt_module ogt_module;

/* path: UTF-8, zero-terminated; a regular file. It is read once, into memory: what was loaded is what was read. */
OGT_API ogt_status ogt_module_open(const char *path, const ogt_load *load, ogt_module **module, ogt_error *error);

/* The same from memory, which is borrowed for this call only. */
OGT_API ogt_status ogt_module_from_memory(const void *data, uint64_t size, const ogt_load *load, ogt_module **module, ogt_error *error);

OGT_API void ogt_module_free(ogt_module *module);

/* ogt_module_info.flags */
enum {
    OGT_MODULE_SIGNED = 1,  /* it has a signature: types and shapes are known and checked */
    OGT_MODULE_STATEFUL = 2, /* forward writes to the module's own attributes: calls depend on earlier ones */
    OGT_MODULE_RANDOM = 4,  /* forward draws random numbers */
    OGT_MODULE_WRITES_INPUT = 8, /* forward writes to an input in place; it is given a copy */
    OGT_MODULE_FROZEN = 16
};

typedef struct ogt_module_info {
    uint32_t inputs;
    uint32_t outputs;        /* of the signature; without one, of forward's return type */
    uint32_t flags;
    uint32_t checkpoints;    /* places in forward where a termination is noticed */
    uint64_t weight_bytes;   /* of parameters, buffers and constants, each storage once */
    uint64_t archive_bytes;  /* unpacked */
} ogt_module_info;

OGT_API ogt_status ogt_module_describe(const ogt_module *module, ogt_module_info *info, ogt_error *error);

enum { OGT_INPUT = 0, OGT_OUTPUT = 1 };

typedef struct ogt_value {
    char name[128];
    uint32_t type;                   /* OGT_TYPE_... */
    uint32_t rank;                   /* or OGT_RANK_UNKNOWN */
    int64_t shape[OGT_MAX_RANK];     /* -1 where open */
    char symbols[OGT_MAX_RANK][32];  /* names of open dimensions, "" where unnamed */
} ogt_value;

/* An input or output by its place. OGT_OUT_OF_RANGE past the last one. */
OGT_API ogt_status ogt_module_value(const ogt_module *module, uint32_t direction, uint32_t index, ogt_value *value, ogt_error *error);

/* ---- Running --------------------------------------------------------------------------------------------------- */

/* One worker's way into a module: its outputs, its stream and page-locked buffers on CUDA, its termination. */
typedef struct ogt_session ogt_session;

OGT_API ogt_status ogt_session_create(ogt_module *module, ogt_session **session, ogt_error *error);
OGT_API void ogt_session_free(ogt_session *session);

/* ogt_tensor.flags */
enum { OGT_TENSOR_PINNED = 1 /* the memory is of ogt_host_alloc: copied to and from the device without a copy in between */ };

typedef struct ogt_tensor {
    void *data;
    uint64_t capacity; /* outputs: bytes at `data` */
    uint64_t bytes;    /* inputs: bytes at `data`, exactly those of type and shape. Outputs: written */
    uint32_t type;     /* outputs: written */
    uint32_t rank;     /* outputs: written */
    uint32_t flags;
    uint32_t reserved; /* 0 */
    int64_t shape[OGT_MAX_RANK]; /* outputs: written, also on OGT_SMALL_BUFFER */
} ogt_tensor;

/*
 * Runs forward over caller memory. Inputs are read in place on the CPU (64-byte alignment gives the same bits everywhere).
 *
 * An output whose `data` is not null is copied there. When a capacity is too small the answer is OGT_SMALL_BUFFER, the sizes
 * of all outputs are written, nothing was copied, and ogt_outputs gives the same outputs without another call of forward.
 * An output whose `data` is null is lent: `data` is set to memory of the session, valid and unchanged until the session's
 * next run or its end; `capacity` is set to 0. So a null stays a request to lend only if the caller sets it again.
 *
 * Inputs are checked against the signature where there is one: type, rank, fixed dimensions, equal symbols. Outputs too;
 * a sparse, quantized or meta tensor, or more than OGT_MAX_RANK dimensions, is OGT_WRONG_OUTPUT. Dimensions of 0 are allowed.
 *
 * CUDA: inputs go through page-locked memory onto the session's own stream, then forward, then the outputs back, with one
 * synchronisation at the end. Several sessions overlap their copies with each other's work. OGT_OUT_OF_MEMORY gives cached
 * memory back before it is answered, so that fewer rows may fit next time.
 */
OGT_API ogt_status ogt_run(ogt_session *session, const ogt_tensor *inputs, uint32_t input_count, ogt_tensor *outputs,
                           uint32_t output_count, ogt_error *error);

/* The outputs of the last run once more; OGT_STATE when it did not end in OGT_OK or OGT_SMALL_BUFFER. */
OGT_API ogt_status ogt_outputs(ogt_session *session, ogt_tensor *outputs, uint32_t output_count, ogt_error *error);

/*
 * Asks the running call, and every later one, to end with OGT_TERMINATED; from any thread. It is noticed at the beginning,
 * in each turn of each loop and every few operators, not within one operator; work already queued on a GPU is waited for.
 */
OGT_API ogt_status ogt_session_terminate(ogt_session *session);

/* Takes that back. */
OGT_API ogt_status ogt_session_resume(ogt_session *session);

/* Where the last run's time went, in nanoseconds. On the CPU only `total`, `forward` and `outputs` are not 0. */
typedef struct ogt_times {
    uint64_t total;
    uint64_t stage;    /* copying inputs into page-locked memory */
    uint64_t forward;  /* until forward returned: on CUDA until the work was queued */
    uint64_t wait;     /* the synchronisation */
    uint64_t outputs;  /* copying to the caller */
    uint64_t device;   /* CUDA: from the first copy to the last, by the device's clock; 0 unless asked for */
} ogt_times;

/* enabled: 1 measures from the next run on (about 100 ns per run; on CUDA two timed events more). */
OGT_API ogt_status ogt_session_measure(ogt_session *session, uint32_t enabled);
OGT_API ogt_status ogt_session_times(const ogt_session *session, ogt_times *times, ogt_error *error);

/* ---- Host memory ----------------------------------------------------------------------------------------------- */

/*
 * Memory for inputs and outputs: page-locked for CUDA, plain for the CPU; aligned to 64 bytes, its contents not set.
 * size: 1 byte to 2^40.
 */
OGT_API ogt_status ogt_host_alloc(uint32_t device, uint64_t size, void **memory, ogt_error *error);
OGT_API void ogt_host_free(uint32_t device, void *memory);

#ifdef __cplusplus
}
#endif

#endif

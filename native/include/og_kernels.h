/*
 * og_kernels.h: language-model kernels for the CPU (libog_kernels.so).
 *
 * A decoder of the Llama family (Llama, Qwen2, Qwen3) over a paged key-value cache. Every output element has one fixed
 * order of reduction: a row of logits depends on its sequence's tokens alone, not on the batch, the slot, the pages, the
 * split of the prompt over calls, or the number of threads. So prefill equals decode, bit for bit.
 *
 * This header is the manual.
 *
 * FIRST CALLS   ogk_abi_version() and ogk_struct_size() before any other function.
 * ORDER         Arguments come as: handle, inputs, outputs, error.
 * OWNERSHIP     Inputs are borrowed for the duration of the call; the weights given to ogk_model_set are read only
 *               during that call (they are packed). Handles are freed by their own function.
 * THREADS       One thread at a time per model. The library's own threads belong to the model. A call gives the calling
 *               thread its floating-point state back as it was.
 * STATUS        Bad data and failing systems are statuses, and the error's text names what was wrong: a field, a tensor, a
 *               sequence and its token or page. The error may be null. It is written on failure only.
 * NUMBERS       Hidden states, logits and reductions are fp32. Denormals are flushed. Results are equal on all
 *               instruction sets that report the same ogk_numerics() text. Keys and values are cached as fp16, limited to
 *               +-65504. An input embedding that is not tied is held as bf16; a tied one is the output layer's rows, as
 *               quantized. Weights with infinities or NaN give rows of NaN or of nonsense, never a fault.
 * STEPS         A sequence appears once in a step. A page belongs to one sequence, or to several that only read it because
 *               all of its positions lie before their starts: two sequences that write one page in a step spoil each other,
 *               which is the caller's bug and is not looked for. Positions before `start` must have been computed by earlier
 *               steps over the same pages. Nothing is allocated in a step.
 */
#ifndef OG_KERNELS_H
#define OG_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(OG_KERNELS_BUILD)
#define OGK_API __attribute__((visibility("default")))
#else
#define OGK_API
#endif

#define OGK_ABI_VERSION 1u

typedef int32_t ogk_status;
enum {
    OGK_OK = 0,
    OGK_NULL_ARGUMENT = 1,
    OGK_OUT_OF_RANGE = 2,     /* a size, count, token, page or position outside what the model allows */
    OGK_UNKNOWN_TENSOR = 3,   /* not a tensor of this configuration */
    OGK_WRONG_SHAPE = 4,      /* a tensor's type or dimensions; the error text names both */
    OGK_MISSING_TENSOR = 5,   /* ogk_model_finish: the error text names the first one */
    OGK_OUT_OF_MEMORY = 6,
    OGK_UNAVAILABLE = 7,      /* the instruction set asked for is not on this machine */
    OGK_STATE = 8,            /* called in the wrong order: set after finish, step before it */
    OGK_SYSTEM = 9
};

typedef struct ogk_error {
    int32_t os_error;
    char text[252];
} ogk_error;

/* How linear layers are held. Norms and biases stay fp32. */
enum { OGK_BF16 = 1, OGK_INT8 = 2, OGK_INT4 = 3 };

/* Element types of weights as files hold them. */
enum { OGK_TYPE_F32 = 1, OGK_TYPE_F16 = 2, OGK_TYPE_BF16 = 3 };

/* Instruction sets, best last. OGK_ISA_BEST takes what the machine has. */
enum { OGK_ISA_BEST = 0, OGK_ISA_SCALAR = 1, OGK_ISA_AVX2 = 2, OGK_ISA_AVX512 = 3, OGK_ISA_AMX = 4 };

enum { OGK_ARCH_LLAMA = 1, OGK_ARCH_QWEN2 = 2, OGK_ARCH_QWEN3 = 3 };

enum { OGK_ROPE_PLAIN = 0, OGK_ROPE_LLAMA3 = 1, OGK_ROPE_LINEAR = 2 };

typedef struct ogk_config {
    uint32_t architecture;
    uint32_t scheme;
    uint32_t isa;
    uint32_t threads;           /* 1 to 256, the calling thread included */
    uint32_t vocabulary;        /* 1 to 2^24; rows of the embedding, which may be more than the tokenizer has */
    uint32_t hidden;            /* a multiple of 32, to 2^16 */
    uint32_t intermediate;      /* a multiple of 32, to 2^20 */
    uint32_t layers;            /* 1 to 1024 */
    uint32_t heads;             /* 1 to 1024, a multiple of kv_heads; heads * head_dim is a multiple of 32 */
    uint32_t kv_heads;
    uint32_t head_dim;          /* a multiple of 16, to 256 */
    uint32_t context;           /* most tokens of one sequence, to 2^24 */
    uint32_t tied_embeddings;   /* 1: lm_head is the embedding */
    uint32_t attention_bias;    /* 1: q, k, v have biases; in Llama and Qwen3 the output projection too, as Hugging Face has it */
    uint32_t page_tokens;       /* a multiple of 16, to 4096 */
    uint32_t pages;
    uint32_t max_sequences;     /* in one step */
    uint32_t max_step_tokens;   /* in one step, over all sequences; the work space grows with it */
    uint32_t rope_kind;
    float rope_theta;           /* 1 to 1e30 */
    float rope_factor;          /* positions are divided by it; read unless the kind is plain */
    float rope_low_frequency;   /* Llama 3: low_freq_factor */
    float rope_high_frequency;  /* Llama 3: high_freq_factor */
    uint32_t rope_original_context;
    float norm_epsilon;         /* above 0 */
} ogk_config;

/* One sequence's share of a step. */
typedef struct ogk_sequence {
    const int32_t *tokens;
    const int32_t *pages;   /* page of position p is pages[p / page_tokens] */
    uint32_t token_count;
    uint32_t page_count;
    uint32_t start;         /* position of tokens[0] */
    uint32_t logits;        /* 0 none, 1 the last token's, 2 every token's */
} ogk_sequence;

enum { OGK_STRUCT_ERROR = 0, OGK_STRUCT_CONFIG = 1, OGK_STRUCT_SEQUENCE = 2 };

typedef struct ogk_model ogk_model;

OGK_API uint32_t ogk_abi_version(void);
OGK_API size_t ogk_struct_size(uint32_t kind);
OGK_API const char *ogk_version(void);

/* Best instruction set of this machine, as OGK_ISA_...; and its name as fingerprints carry it. */
OGK_API uint32_t ogk_best_isa(void);
OGK_API const char *ogk_isa_name(uint32_t isa);

/* The class within which results are equal for a scheme on an instruction set, e.g. "ogk1". Static text. */
OGK_API const char *ogk_numerics(uint32_t scheme, uint32_t isa);

/* Reserves what the configuration needs, cache included. OGK_OUT_OF_RANGE names the first field that cannot be. */
OGK_API ogk_status ogk_model_create(const ogk_config *config, ogk_model **model, ogk_error *error);

/* Bytes that a model of this configuration will hold: packed weights, cache, work space. */
OGK_API ogk_status ogk_model_memory(const ogk_config *config, uint64_t *weights, uint64_t *cache, uint64_t *work, ogk_error *error);

/* Packs one tensor by its Hugging Face name ("model.layers.0.self_attn.q_proj.weight"): row-major, contiguous, of any
 * alignment. Each tensor once, in any order. */
OGK_API ogk_status ogk_model_set(ogk_model *model, const char *name, uint32_t type, const uint64_t *dimensions, uint32_t rank,
                                 const void *data, uint64_t bytes, ogk_error *error);

/* Checks that every tensor is there. */
OGK_API ogk_status ogk_model_finish(ogk_model *model, ogk_error *error);

/* Advances sequences. logits: rows in order of the sequences, each of `vocabulary` floats; logits_rows is how many fit.
 * Everything is checked before anything is computed: a refused step has changed no page. */
OGK_API ogk_status ogk_step(ogk_model *model, const ogk_sequence *sequences, uint32_t count, float *logits, uint64_t logits_rows,
                            ogk_error *error);

/* Advances one sequence, whatever its `logits`, and gives its last token's final hidden state, after the last norm: `hidden`
 * floats. */
OGK_API ogk_status ogk_embed(ogk_model *model, const ogk_sequence *sequence, float *hidden, ogk_error *error);

OGK_API void ogk_model_free(ogk_model *model);

#ifdef __cplusplus
}
#endif

#endif

/*
 * og_attest.h: the native attestation shim (libog_attest.so).
 *
 * The shim keeps the key that signs batch statements and checkpoints, hashes what it signs, and produces the evidence
 * that binds the key. docs/formats.md specifies every byte it emits. It opens no network connection; a TDX guest without
 * configfs-tsm asks its own host's quote service over vsock.
 *
 * This header is the manual.
 *
 * FIRST CALLS   og_abi_version() and og_struct_size() before any other function. A caller that was compiled against
 *               another version or another layout must stop there.
 * ORDER         Arguments come as: handle, inputs (a pointer is followed by its size), outputs, error.
 * OWNERSHIP     Inputs are borrowed for the duration of the call and never written. Outputs are buffers of the caller;
 *               fixed sizes are in the declaration, other outputs have a capacity and a written size. The only thing
 *               that the shim allocates and hands out is og_epoch, freed by og_epoch_close().
 * THREADS       Every function may be called from any thread at any time, also on one og_epoch from several threads
 *               at once. og_epoch_close() is the exception: no other call on that epoch may be running or follow.
 *               After fork() an epoch is of no use in the child: its key page reads as zeros and signing is refused.
 * STATUS        Functions that can fail return og_status. Bad data and failing systems are statuses, and so are caller
 *               bugs (a null where one is not allowed); the shim never aborts for its caller's sake. Where a call did
 *               not return OG_OK, outputs hold no promise, except a written size after OG_BUFFER_TOO_SMALL, which is
 *               then the size that would have been enough.
 * ERROR TEXT    og_error is the caller's and may be null. It is written only on failure: a sentence that names what was
 *               wrong, never a secret, and errno where a system call failed.
 * SECRETS       The epoch's secret lives in one locked page that is left out of core dumps, and is zeroed by
 *               og_epoch_close(). There is no function that returns it. Secrets that a caller passes in are copied only
 *               into such a page.
 * SIGNATURES    secp256k1: 65 bytes r || s || v, v 0 or 1, s at most half the order. Ed25519: 64 bytes, RFC 8032.
 */
#ifndef OG_ATTEST_H
#define OG_ATTEST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(OG_ATTEST_BUILD)
#define OG_API __attribute__((visibility("default")))
#else
#define OG_API
#endif

/* Raised by every change that an old caller would misread. */
#define OG_ABI_VERSION 4u

#define OG_HASH_SIZE 32u
#define OG_ADDRESS_SIZE 20u
#define OG_SECRET_SIZE 32u
#define OG_SIGNATURE_SIZE 65u
#define OG_PUBLIC_KEY_SIZE 65u
#define OG_ED25519_SIGNATURE_SIZE 64u
#define OG_LEAF_SIZE 118u
#define OG_RECEIPT_ID_SIZE 16u
#define OG_CONTEXT_MAX 4096u
#define OG_STATEMENT_MAX 8377u /* header 120, signature 65, body 8,192 */
#define OG_ROWS_MAX 65536u
#define OG_NONCE_MAX 64u
#define OG_DEVICE_MAX 255u
#define OG_BINDING_MAX 8192u
#define OG_EVIDENCE_MAX 65536u

typedef int32_t og_status;
enum {
    OG_OK = 0,
    OG_NULL_ARGUMENT = 1,    /* caller bug: a pointer that must not be null was */
    OG_OUT_OF_RANGE = 2,     /* a size, count or value outside what this header allows */
    OG_BUFFER_TOO_SMALL = 3, /* an output's capacity; its written size says how much is needed */
    OG_BAD_KEY = 4,          /* not a key of this kind */
    OG_BAD_SIGNATURE = 5,    /* malformed, high s, wrong v, or not by this key over this message */
    OG_UNAVAILABLE = 6,      /* the attester asked for does not work on this machine */
    OG_EPOCH_ENDED = 7,      /* the last sequence number was given out, or the key page is gone (after fork) */
    OG_REFUSED = 8,          /* the shim will not do this: see the function */
    OG_SYSTEM = 9,           /* a system call failed; og_error has errno */
    OG_CRYPTO = 10           /* OpenSSL or libsecp256k1 failed without the input being at fault */
};

typedef struct og_error {
    int32_t os_error; /* errno, or 0 */
    char text[252];   /* UTF-8, zero-terminated */
} og_error;

/* ---- Handshake ------------------------------------------------------------------------------------------------- */

enum {
    OG_STRUCT_ERROR = 0,
    OG_STRUCT_TENSOR_VIEW = 1,
    OG_STRUCT_ROW_VIEW = 2,
    OG_STRUCT_CHAIN_VIEW = 3,
    OG_STRUCT_BATCH = 4,
    OG_STRUCT_SEALED = 5,
    OG_STRUCT_LIBRARY = 6,
    OG_STRUCT_EPOCH_CONFIG = 7,
    OG_STRUCT_CHECKPOINT = 8,
    OG_STRUCT_ATTESTER_INFO = 9
};

OG_API uint32_t og_abi_version(void);

/* sizeof the struct of that kind (OG_STRUCT_...), 0 for a kind this library does not know. */
OG_API size_t og_struct_size(uint32_t kind);

/* The library's version as text, static. */
OG_API const char *og_version(void);

/* How SHA-256 is computed here: "sha-ni" or "portable". Static text, for diagnosis. */
OG_API const char *og_sha256_provider(void);

/* SHA-256 of the file this library was loaded from. OG_REFUSED when that file was replaced after loading. */
OG_API og_status og_build_digest(uint8_t digest[32], og_error *error);

/* ---- Attesters ------------------------------------------------------------------------------------------------- */

/* Evidence kinds of docs/formats.md. */
enum { OG_ATTESTER_SOFTWARE = 1, OG_ATTESTER_NITRO = 2, OG_ATTESTER_SEV_SNP = 3, OG_ATTESTER_TDX = 4, OG_ATTESTER_TPM = 5 };

typedef struct og_attester_info {
    uint16_t kind;
    uint16_t available; /* 1: og_epoch_open can use it here */
    uint32_t reserved;  /* 0 */
    char name[24];
    char reason[224]; /* why it is not available, or what to know about it; a sentence */
} og_attester_info;

/*
 * Every evidence kind, and whether it can be produced on this machine by this build.
 * written: how many entries there are; OG_BUFFER_TOO_SMALL when capacity (in entries) is less.
 */
OG_API og_status og_attesters(og_attester_info *list, size_t capacity, size_t *written);

/* ---- Epochs ---------------------------------------------------------------------------------------------------- */

/* One life of a signing key. */
typedef struct og_epoch og_epoch;

typedef struct og_library {
    const char *name; /* UTF-8, 1 to 255 bytes, no terminator needed */
    size_t name_size;
    uint8_t digest[32];
} og_library;

typedef struct og_epoch_config {
    uint8_t log_id[32];
    uint8_t contract[20];
    uint16_t attester; /* OG_ATTESTER_... */
    uint16_t reserved; /* 0 */
    uint64_t chain_id;
    uint64_t host_seconds;        /* the host's clock, seconds since 1970; evidence may carry it */
    const og_library *libraries;  /* native libraries in the process that the evidence binds */
    size_t library_count;
    const uint8_t *nonce; /* at most OG_NONCE_MAX bytes: a recent block hash */
    size_t nonce_size;
    const uint8_t *root_secret; /* OG_ATTESTER_SOFTWARE: secret of the development root, 32 bytes; others: null */
    const char *device;         /* OG_ATTESTER_TPM: a TCTI's name instead of "device:/dev/tpmrm0", no terminator needed; others: null */
    size_t device_size;         /* 1 to OG_DEVICE_MAX with a device, else 0 */
} og_epoch_config;

/*
 * Generates a key and has the attester vouch for it. OG_UNAVAILABLE when the attester does not work here,
 * OG_OUT_OF_RANGE for a device of an attester that has one of its own only,
 * OG_BAD_KEY for a root secret that is no key, OG_SYSTEM when the key page cannot be locked (RLIMIT_MEMLOCK).
 */
OG_API og_status og_epoch_open(const og_epoch_config *config, og_epoch **epoch, og_error *error);

/* Zeroes the key and frees everything. Null is allowed. */
OG_API void og_epoch_close(og_epoch *epoch);

/* The epoch's identity, H(binding), and its public key, uncompressed. */
OG_API og_status og_epoch_describe(const og_epoch *epoch, uint8_t id[32], uint8_t public_key[65]);

/* The evidence made when the epoch was opened: the envelope of docs/formats.md, at most OG_EVIDENCE_MAX bytes. */
OG_API og_status og_epoch_evidence(const og_epoch *epoch, uint8_t *evidence, size_t capacity, size_t *written, og_error *error);

/*
 * Evidence made now for the same key and a caller's challenge (1 to OG_NONCE_MAX bytes). Its binding differs in the
 * nonce alone, so H(binding) is not the epoch's identity; whoever challenged compares the key inside.
 */
OG_API og_status og_epoch_challenge(const og_epoch *epoch, const uint8_t *nonce, size_t nonce_size, uint64_t host_seconds,
                                    uint8_t *evidence, size_t capacity, size_t *written, og_error *error);

/*
 * Answers a challenge that was made for the attestation key of OG_ATTESTER_TPM and the endorsement key of its TPM
 * (docs/attestation/tpm.md, "Enrolment"): 32 bytes that nobody else can find. device as in og_epoch_config; 0 bytes: the
 * system's own TPM. OG_REFUSED where the challenge is for another TPM or key, OG_OUT_OF_RANGE where it is none,
 * OG_UNAVAILABLE where this build or machine cannot talk to a TPM.
 */
OG_API og_status og_tpm_activate(const char *device, size_t device_size, const uint8_t *challenge, size_t challenge_size, uint8_t answer[32],
                                 og_error *error);

/* ---- Sealing --------------------------------------------------------------------------------------------------- */

typedef struct og_tensor_view {
    const uint8_t *header; /* docs/formats.md, "Tensor-set digest": name length to data length */
    uint64_t header_size;  /* 1 or more */
    const uint8_t *data;   /* may be null when data_size is 0 */
    uint64_t data_size;
} og_tensor_view;

typedef struct og_row_view {
    const og_tensor_view *inputs; /* ordered by the bytes of their names, the caller's duty; may be null when none */
    const og_tensor_view *outputs;
    const uint8_t *parameter_digest; /* 32 bytes */
    uint32_t input_count;
    uint32_t output_count;
    uint32_t first_slot; /* first_slot + row_count is at most the batch's rows */
    uint32_t row_count;  /* 1 to 65,535 */
} og_row_view;

typedef struct og_chain_view {
    uint64_t chain_id;
    uint64_t block_number;
    uint8_t block_hash[32];
} og_chain_view;

typedef struct og_batch {
    const uint8_t *context; /* encoded statement context, 1 to OG_CONTEXT_MAX bytes */
    size_t context_size;
    const og_row_view *rows;
    uint32_t row_count;  /* 1 to OG_ROWS_MAX */
    uint32_t batch_rows; /* first dimension of the executed batch, padding included */
    uint64_t host_time_ns;
    const og_chain_view *chain; /* newest block seen, or null */
} og_batch;

typedef struct og_sealed {
    uint8_t *statement; /* OG_STATEMENT_MAX always suffices */
    size_t statement_capacity;
    size_t statement_size; /* written */
    uint8_t *leaves;       /* OG_LEAF_SIZE * row_count: the row leaves' preimages */
    size_t leaves_capacity;
    uint8_t *tree; /* 32 * og_tree_nodes(row_count): levels from the leaves to the root */
    size_t tree_capacity;
    uint8_t *receipt_ids; /* OG_RECEIPT_ID_SIZE * row_count: what names each receipt */
    size_t receipt_ids_capacity;
    uint64_t sequence;        /* written */
    uint8_t statement_id[32]; /* written: the statement's leaf hash in the log */
    uint64_t hash_ns;         /* written: time of the rows' digests, salts, tree and receipt ids; for metrics, never signed */
    uint64_t sign_ns;         /* written: time of the header's digest and the signature over it */
} og_sealed;

/*
 * Hashes in the tree over that many leaves: levels one after the other, leaves first; a level of odd length passes its
 * last hash up unchanged.
 */
OG_API size_t og_tree_nodes(uint32_t leaves);

/*
 * Hashes the rows, builds their tree and signs one statement over it. Each call on the epoch takes the
 * next sequence number when it is about to sign, from 1 up, and no number twice; a failing call may leave a gap.
 * OG_EPOCH_ENDED when there is none left.
 */
OG_API og_status og_epoch_seal(og_epoch *epoch, const og_batch *batch, og_sealed *sealed, og_error *error);

typedef struct og_checkpoint {
    uint64_t size;
    uint8_t root[32];
    uint8_t previous_head[32];
} og_checkpoint;

/*
 * Signs a checkpoint of the epoch's own log for its own chain and contract (EIP-712); the digest is computed here, so
 * that the key never signs a digest from outside. OG_REFUSED for another root at the size that was signed last: that
 * would be equivocation.
 */
OG_API og_status og_epoch_sign_checkpoint(og_epoch *epoch, const og_checkpoint *checkpoint, uint8_t signature[65], og_error *error);

/* ---- Keys and signatures without an epoch ------------------------------------------------------------------------ */

/* The uncompressed public key of a secret. */
OG_API og_status og_secp256k1_public_key(const uint8_t secret[32], uint8_t public_key[65]);

/* Signs with a caller's secret, deterministically (RFC 6979 without extra entropy). For transactions and test roots. */
OG_API og_status og_secp256k1_sign(const uint8_t secret[32], const uint8_t digest[32], uint8_t signature[65]);

/* public_key: 33 or 65 bytes (SEC 1). OG_BAD_KEY, OG_BAD_SIGNATURE. */
OG_API og_status og_secp256k1_verify(const uint8_t *public_key, size_t public_key_size, const uint8_t digest[32], const uint8_t signature[65]);

/* The key that made a signature. OG_BAD_SIGNATURE when there is none, or s is high, or v is not 0 or 1. */
OG_API og_status og_secp256k1_recover(const uint8_t digest[32], const uint8_t signature[65], uint8_t public_key[65]);

OG_API og_status og_ed25519_public_key(const uint8_t seed[32], uint8_t public_key[32]);
OG_API og_status og_ed25519_sign(const uint8_t seed[32], const uint8_t *message, size_t message_size, uint8_t signature[64]);
OG_API og_status og_ed25519_verify(const uint8_t public_key[32], const uint8_t *message, size_t message_size, const uint8_t signature[64]);

/* 1 if equal, in time that depends on size alone; 0 otherwise, also when a pointer is null. */
OG_API int32_t og_equal(const uint8_t *left, const uint8_t *right, size_t size);

/* scrypt (RFC 7914) for keystore files. OG_OUT_OF_RANGE for parameters that are invalid or need more than 512 MiB. */
OG_API og_status og_scrypt(const uint8_t *password, size_t password_size, const uint8_t *salt, size_t salt_size, uint64_t n, uint64_t r, uint64_t p,
                           uint8_t *key, size_t key_size);

/* ---- Secret files ------------------------------------------------------------------------------------------------ */

/*
 * Reads a secret file. OG_REFUSED unless it is a regular file of this user or root that neither group nor others may
 * read or write; OG_OUT_OF_RANGE when it is longer than capacity.
 */
OG_API og_status og_secret_file_read(const char *path, uint8_t *bytes, size_t capacity, size_t *written, og_error *error);

/*
 * Creates a secret file with mode 0600: written beside it, synced, linked into place, folder synced. A crash leaves
 * either no file of that name or the whole one. OG_SYSTEM with EEXIST when the name is taken.
 */
OG_API og_status og_secret_file_create(const char *path, const uint8_t *bytes, size_t size, og_error *error);

/* Fills a buffer from the system's random generator. */
OG_API og_status og_random(uint8_t *bytes, size_t size, og_error *error);

#ifdef __cplusplus
}
#endif

#endif

#include "og_attest.h"

_Static_assert(sizeof(og_error) == 256, "og_error is passed around by size");

uint32_t og_abi_version(void)
{
    return OG_ABI_VERSION;
}

const char *og_version(void)
{
    return OG_VERSION_TEXT;
}

size_t og_struct_size(uint32_t kind)
{
    switch (kind) {
    case OG_STRUCT_ERROR: return sizeof(og_error);
    case OG_STRUCT_TENSOR_VIEW: return sizeof(og_tensor_view);
    case OG_STRUCT_ROW_VIEW: return sizeof(og_row_view);
    case OG_STRUCT_CHAIN_VIEW: return sizeof(og_chain_view);
    case OG_STRUCT_BATCH: return sizeof(og_batch);
    case OG_STRUCT_SEALED: return sizeof(og_sealed);
    case OG_STRUCT_LIBRARY: return sizeof(og_library);
    case OG_STRUCT_EPOCH_CONFIG: return sizeof(og_epoch_config);
    case OG_STRUCT_CHECKPOINT: return sizeof(og_checkpoint);
    case OG_STRUCT_ATTESTER_INFO: return sizeof(og_attester_info);
    default: return 0;
    }
}

#include "og_torch.h"

extern "C" {

uint32_t ogt_abi_version(void)
{
    return OGT_ABI_VERSION;
}

const char *ogt_version(void)
{
    return OG_VERSION_TEXT;
}

size_t ogt_struct_size(uint32_t kind)
{
    switch (kind) {
    case OGT_STRUCT_ERROR: return sizeof(ogt_error);
    case OGT_STRUCT_SETTINGS: return sizeof(ogt_settings);
    case OGT_STRUCT_LOAD: return sizeof(ogt_load);
    case OGT_STRUCT_MODULE: return sizeof(ogt_module_info);
    case OGT_STRUCT_VALUE: return sizeof(ogt_value);
    case OGT_STRUCT_TENSOR: return sizeof(ogt_tensor);
    case OGT_STRUCT_DEVICE: return sizeof(ogt_device);
    case OGT_STRUCT_MEMORY: return sizeof(ogt_memory);
    case OGT_STRUCT_TIMES: return sizeof(ogt_times);
    default: return 0;
    }
}

} // extern "C"

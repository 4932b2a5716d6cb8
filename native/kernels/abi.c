#include "og_kernels.h"

uint32_t ogk_abi_version(void)
{
    return OGK_ABI_VERSION;
}

size_t ogk_struct_size(uint32_t kind)
{
    switch (kind) {
    case OGK_STRUCT_ERROR:
        return sizeof(ogk_error);
    case OGK_STRUCT_CONFIG:
        return sizeof(ogk_config);
    case OGK_STRUCT_SEQUENCE:
        return sizeof(ogk_sequence);
    default:
        return 0;
    }
}

const char *ogk_version(void)
{
    return OG_VERSION_TEXT;
}

/* A library with the shim's first export and another ABI version: hosts must refuse it. */
#include <stddef.h>
#include <stdint.h>

uint32_t og_abi_version(void);
size_t og_struct_size(uint32_t kind);

uint32_t og_abi_version(void)
{
    return OTHER_VERSION;
}

size_t og_struct_size(uint32_t kind)
{
    return kind == 3 ? 1 : 0;
}

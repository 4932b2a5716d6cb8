/* A library with the kernels' first exports and another ABI version or layout: hosts must refuse it. */
#include <stddef.h>
#include <stdint.h>

uint32_t ogk_abi_version(void);
size_t ogk_struct_size(uint32_t kind);

uint32_t ogk_abi_version(void)
{
    return OTHER_VERSION;
}

size_t ogk_struct_size(uint32_t kind)
{
    return kind == 0 ? 256 : 8;
}

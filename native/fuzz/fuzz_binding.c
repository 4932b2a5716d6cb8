/* Names of libraries that the binding holds: UTF-8, at most 255 bytes each. */
#include <string.h>

#include "epoch.h"
#include "fuzz.h"

/* Each name follows its length, two bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    enum { most = 64 };
    og_library libraries[most];
    size_t count = 0;
    for (size_t at = 0; count < most && size - at >= 2;) {
        size_t length = (size_t)bytes[at] | (size_t)bytes[at + 1] << 8;
        at += 2;
        if (length > size - at) length = size - at;
        libraries[count++] = (og_library){.name = (const char *)bytes + at, .name_size = length};
        at += length;
    }
    static const uint8_t key[65] = {4}, digest[32];
    uint8_t made[OG_BINDING_MAX];
    og_bytes out = {made, sizeof made, 0};
    og_error error = {0, ""};
    og_epoch_config config = {.libraries = libraries, .library_count = count};
    og_status status = og_put_binding(&out, &config, key, digest, &error);
    FUZZ_CHECK(status == OG_OK ? out.size + 2 + OG_NONCE_MAX <= sizeof made : status == OG_OUT_OF_RANGE && error.text[0] != 0);
    return 0;
}

size_t fuzz_example(uint32_t which, uint8_t *bytes)
{
    static const char name[] = "libonnxruntim\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80.so.1";
    size_t size = 0;
    for (uint32_t i = 0; i <= which % 60; i++) {
        bytes[size] = sizeof name - 1;
        bytes[size + 1] = 0;
        memcpy(bytes + size + 2, name, sizeof name - 1);
        size += 2 + sizeof name - 1;
    }
    return size;
}

#include "fixture.h"

#include <string.h>

const uint8_t fixture_root[32] = {[31] = 0x22};

og_epoch_config fixture_config(void)
{
    static const uint8_t nonce[] = {1, 2, 3};
    static const og_library libraries[] = {{"libone.so", 9, {1}}, {"libtwo.so", 9, {2}}};
    return (og_epoch_config){
        .log_id = {9},
        .contract = {8},
        .attester = OG_ATTESTER_SOFTWARE,
        .chain_id = 31337,
        .host_seconds = 1800000000,
        .libraries = libraries,
        .library_count = 2,
        .nonce = nonce,
        .nonce_size = sizeof nonce,
        .root_secret = fixture_root,
    };
}

og_epoch *fixture_epoch(void)
{
    og_epoch_config config = fixture_config();
    og_epoch *epoch = NULL;
    og_error error = {0, ""};
    og_status status = og_epoch_open(&config, &epoch, &error);
    if (status != OG_OK) check_failed(__FILE__, __LINE__, "og_epoch_open: %d: %s", status, error.text);
    return epoch;
}

og_batch fixture_batch(uint32_t count)
{
    static uint8_t header[40], data[256], parameters[32], context[200];
    static og_tensor_view input, output;
    static og_row_view rows[fixture_rows_max];
    CHECK(count <= fixture_rows_max);
    input = (og_tensor_view){header, sizeof header, data, sizeof data};
    output = (og_tensor_view){header, sizeof header, data, 40};
    for (uint32_t i = 0; i < count; i++) rows[i] = (og_row_view){&input, &output, parameters, 1, 1, i, 1};
    return (og_batch){context, sizeof context, rows, count, count, 1800000000000000000, NULL};
}

void fixture_buffers(fixture_sealed *sealed)
{
    sealed->out = (og_sealed){.statement = sealed->statement,
                              .statement_capacity = sizeof sealed->statement,
                              .leaves = sealed->leaves,
                              .leaves_capacity = sizeof sealed->leaves,
                              .tree = sealed->tree,
                              .tree_capacity = sizeof sealed->tree,
                              .receipt_ids = sealed->receipt_ids,
                              .receipt_ids_capacity = sizeof sealed->receipt_ids};
}

void fixture_seal_and_sign(og_epoch *epoch)
{
    static fixture_sealed sealed;
    og_batch batch = fixture_batch(64);
    og_checkpoint checkpoint = {1, {1}, {1}};
    uint8_t signature[65];
    fixture_buffers(&sealed);
    for (int i = 0; i < 20; i++) CHECK_STATUS(OG_OK, og_epoch_seal(epoch, &batch, &sealed.out, NULL));
    CHECK_STATUS(OG_OK, og_epoch_sign_checkpoint(epoch, &checkpoint, signature, NULL));
}

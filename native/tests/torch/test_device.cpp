/* Sessions on a GPU, over a double of CUDA: page-locked copies, one synchronisation per batch, devices that are full or lost. */
#include <chrono>
#include <thread>

#include <ATen/Functions.h>

#include "cuda_double.h"
#include "fixture.h"

namespace {

ogt_load gpu(int32_t index = 0)
{
    ogt_load load = plain_load();
    load.device = OGT_CUDA;
    load.device_index = index;
    return load;
}

ogt_tensor rows_of(const std::vector<float> &rows)
{
    return tensor_over(rows, OGT_TYPE_FLOAT32, {static_cast<int64_t>(rows.size() / 3), 3});
}

/* Fresh orders, whatever the test before did. */
void begin()
{
    start();
    reset_double();
}

const std::vector<float> one = {1, 2, 3}, two = {1, 2, 3, -1, 0.5f, 4};

} // namespace

TEST(a_batch_goes_through_pinned_memory_with_one_synchronisation)
{
    begin();
    opened linear(linear_archive(), gpu());
    for (int i = 1; i <= 3; i++) {
        auto outputs = lent(1);
        CHECK_STATUS(OGT_OK, linear.run({rows_of(two)}, outputs));
        CHECK(values_of<float>(outputs[0]) == linear_expected(two));
        CHECK(doubled.synchronisations == i && doubled.uploads == i && doubled.downloads == i && doubled.drains == 0 && doubled.scopes == i);
    }
    CHECK(doubled.mistakes == 0 && pinned_bytes() > 0);
}

TEST(several_outputs_are_waited_for_once)
{
    begin();
    opened several(archive("def forward(self, x):\n    return x + 1, x[:, 0:1], x[0:0], x.t()\n"), gpu());
    auto outputs = lent(4);
    CHECK_STATUS(OGT_OK, several.run({rows_of(two)}, outputs));
    CHECK(doubled.synchronisations == 1 && doubled.downloads == 3 && doubled.mistakes == 0);
    CHECK(values_of<float>(outputs[0])[0] == 2 && values_of<float>(outputs[1]) == (std::vector<float>{1, -1}) && outputs[2].bytes == 0);
    CHECK(values_of<float>(outputs[3]) == (std::vector<float>{1, -1, 2, 0.5f, 3, 4}));
}

TEST(pinned_caller_memory_is_copied_from_and_to_directly)
{
    begin();
    opened linear(linear_archive(), gpu());
    void *from = nullptr, *to = nullptr;
    CHECK_STATUS(OGT_OK, ogt_host_alloc(OGT_CUDA, 24, &from, nullptr));
    CHECK_STATUS(OGT_OK, ogt_host_alloc(OGT_CUDA, 16, &to, nullptr));
    const uint64_t before = pinned_bytes();
    std::memcpy(from, two.data(), 24);
    ogt_tensor input = rows_of(two);
    input.data = from;
    input.flags = OGT_TENSOR_PINNED;
    auto outputs = lent(1);
    outputs[0].data = to;
    outputs[0].capacity = 16;
    outputs[0].flags = OGT_TENSOR_PINNED;
    CHECK_STATUS(OGT_OK, linear.run({input}, outputs));
    CHECK(std::memcmp(to, linear_expected(two).data(), 16) == 0);
    CHECK(pinned_bytes() == before && doubled.mistakes == 0);
    /* there is no copy to give once more */
    CHECK_STATUS(OGT_STATE, ogt_outputs(linear.session, outputs.data(), 1, nullptr));
    ogt_host_free(OGT_CUDA, from);
    ogt_host_free(OGT_CUDA, to);
}

TEST(a_small_buffer_is_negotiated_without_another_forward)
{
    begin();
    opened linear(linear_archive(), gpu());
    std::vector<float> small(1), whole(4);
    auto outputs = lent(1);
    outputs[0].data = small.data();
    outputs[0].capacity = 4;
    CHECK_STATUS(OGT_SMALL_BUFFER, linear.run({rows_of(two)}, outputs));
    CHECK(outputs[0].bytes == 16);
    outputs[0].data = whole.data();
    outputs[0].capacity = 16;
    CHECK_STATUS(OGT_OK, ogt_outputs(linear.session, outputs.data(), 1, nullptr));
    CHECK(whole == linear_expected(two) && doubled.uploads == 1);
}

TEST(a_full_device_is_told_counted_trimmed_and_serves_on)
{
    begin();
    opened linear(linear_archive(), gpu());
    for (bool words : {false, true}) {
        reset_double();
        doubled.fits = 1;
        doubled.says_it_with_words = words;
        ogt_memory before = {}, after = {};
        CHECK_STATUS(OGT_OK, ogt_memory_get(OGT_CUDA, 0, &before, nullptr));
        auto outputs = lent(1);
        CHECK_STATUS(OGT_OUT_OF_MEMORY, linear.run({rows_of(two)}, outputs));
        CHECK(holds(linear.error.text, "out of memory"));
        CHECK_STATUS(OGT_STATE, ogt_outputs(linear.session, outputs.data(), 1, nullptr));
        CHECK_STATUS(OGT_OK, ogt_memory_get(OGT_CUDA, 0, &after, nullptr));
        CHECK(after.out_of_memory == before.out_of_memory + 1 && doubled.trims == 1 && doubled.drains == 1);
        outputs = lent(1);
        CHECK_STATUS(OGT_OK, linear.run({rows_of(one)}, outputs));
        CHECK(values_of<float>(outputs[0]) == linear_expected(one) && doubled.mistakes == 0);
    }
}

TEST(a_lost_device_is_named_by_every_later_call_on_it_and_by_no_other)
{
    for (bool silently : {false, true}) {
        begin();
        opened first(linear_archive(), gpu(0)), beside(linear_archive(), gpu(0)), other(linear_archive(), gpu(1));
        opened host(archive("def forward(self, x):\n    assert bool(x.sum() >= 0), 'negative'\n    return x\n"));
        doubled.loses = 0;
        doubled.loses_silently = silently;
        auto outputs = lent(1);
        CHECK_STATUS(OGT_DEVICE_LOST, first.run({rows_of(one)}, outputs));
        CHECK(first.error.text[0] != 0 && doubled.drains == 1);
        const int uploads = doubled.uploads;
        doubled.loses = -1;
        for (opened *each : {&first, &beside}) CHECK_STATUS(OGT_DEVICE_LOST, each->run({rows_of(one)}, outputs));
        CHECK(holds(first.error.text, "new process"));
        CHECK(doubled.uploads == uploads);
        ogt_session *none = nullptr;
        CHECK_STATUS(OGT_DEVICE_LOST, ogt_session_create(first.module, &none, nullptr));
        CHECK(none == nullptr);
        CHECK(try_load(linear_archive(), gpu(0)).status == OGT_DEVICE_LOST);

        outputs = lent(1);
        CHECK_STATUS(OGT_OK, other.run({rows_of(one)}, outputs));
        CHECK(values_of<float>(outputs[0]) == linear_expected(one));
        const std::vector<float> bad = {-1};
        CHECK_STATUS(OGT_RAISED, host.run({tensor_over(bad, OGT_TYPE_FLOAT32, {1})}, outputs));
    }
    reset_double();
}

TEST(a_device_lost_while_loading_is_no_spoiled_archive)
{
    begin();
    doubled.loses = 1;
    const load_result result = try_load(linear_archive(), gpu(1));
    CHECK(result.status == OGT_DEVICE_LOST && holds(result.text, "illegal memory access"));
    CHECK(try_load(linear_archive(), gpu(0)).status == OGT_OK);
    reset_double();
}

TEST(a_forward_that_raises_leaves_nothing_queued)
{
    begin();
    opened picky(archive("def forward(self, x):\n    assert bool(x.sum() >= 0), 'negative'\n    return x + 0\n"), gpu());
    const std::vector<float> bad = {-1, 0, 0};
    auto outputs = lent(1);
    CHECK_STATUS(OGT_RAISED, picky.run({rows_of(bad)}, outputs));
    CHECK(doubled.drains == 1 && doubled.trims == 0 && doubled.mistakes == 0);
    outputs = lent(1);
    CHECK_STATUS(OGT_OK, picky.run({rows_of(one)}, outputs));
}

TEST(a_terminated_call_waits_for_what_is_queued)
{
    begin();
    opened loop(archive("def forward(self, x):\n    n = 0\n    while n >= 0:\n        n = (n + 1) % 1000\n    return x + n\n"), gpu());
    std::thread stopper([&] {
        while (!call_begun) std::this_thread::yield(); /* terminated before that, a session has nothing queued */
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        ogt_session_terminate(loop.session);
    });
    auto outputs = lent(1);
    CHECK_STATUS(OGT_TERMINATED, loop.run({rows_of(one)}, outputs));
    stopper.join();
    CHECK(doubled.drains == 1 && doubled.mistakes == 0);
}

TEST(page_locked_memory_ends_with_its_session)
{
    begin();
    const uint64_t before = pinned_bytes();
    {
        opened linear(linear_archive(), gpu());
        auto outputs = lent(1);
        CHECK_STATUS(OGT_OK, linear.run({rows_of(two)}, outputs));
        CHECK(pinned_bytes() > before);
        ogt_memory memory = {};
        CHECK_STATUS(OGT_OK, ogt_memory_get(OGT_CUDA, 0, &memory, nullptr));
        CHECK(memory.pinned == pinned_bytes() && memory.resident > 0);
    }
    CHECK(pinned_bytes() == before);
}

TEST(a_missing_device_is_told_by_number)
{
    begin();
    const load_result result = try_load(linear_archive(), gpu(2));
    CHECK(result.status == OGT_DEVICE_MISSING && holds(result.text, "none of number 2"));
    ogt_device device = {};
    CHECK_STATUS(OGT_DEVICE_MISSING, ogt_device_get(OGT_CUDA, -1, &device, nullptr));
    CHECK(holds(device.reason, "none of number -1"));
}

/* The handshake, starting, texts, devices. The first test runs before anything was started. */
#include <string>

#include "fixture.h"

namespace {

std::string text_of(uint32_t kind)
{
    size_t needed = 0;
    CHECK_STATUS(OGT_SMALL_BUFFER, ogt_text(kind, nullptr, 0, &needed, nullptr));
    std::string text(needed, 'x');
    CHECK_STATUS(OGT_OK, ogt_text(kind, text.data(), text.size(), &needed, nullptr));
    CHECK(needed == text.size() && text.back() == 0);
    text.pop_back();
    return text;
}

} // namespace

TEST(calls_before_start_are_refused)
{
    ogt_error error = {};
    uint32_t count = 0;
    size_t needed = 0;
    ogt_module *module = nullptr;
    void *memory = nullptr;
    ogt_device device = {};
    const ogt_load load = plain_load();
    CHECK_STATUS(OGT_STATE, ogt_device_count(OGT_CPU, &count, &error));
    CHECK(holds(error.text, "ogt_start"));
    CHECK_STATUS(OGT_STATE, ogt_device_get(OGT_CPU, 0, &device, &error));
    CHECK_STATUS(OGT_STATE, ogt_text(OGT_TEXT_CPU, nullptr, 0, &needed, &error));
    CHECK_STATUS(OGT_STATE, ogt_module_from_memory("x", 1, &load, &module, &error));
    CHECK_STATUS(OGT_STATE, ogt_module_open("x", &load, &module, &error));
    CHECK_STATUS(OGT_STATE, ogt_host_alloc(OGT_CPU, 1, &memory, &error));
}

TEST(other_settings_than_the_first_are_refused)
{
    start();
    ogt_settings settings = {};
    ogt_error error = {};
    CHECK_STATUS(OGT_OK, ogt_start(&settings, &error));
    for (uint32_t ogt_settings::*field : {&ogt_settings::allow_tf32, &ogt_settings::allow_reduced_reductions, &ogt_settings::allow_nondeterministic,
                                          &ogt_settings::flush_denormals}) {
        settings = {};
        settings.*field = 1;
        CHECK_STATUS(OGT_STATE, ogt_start(&settings, &error));
    }
}

TEST(every_struct_has_its_size)
{
    CHECK(ogt_abi_version() == OGT_ABI_VERSION && ogt_version()[0] != 0);
    CHECK(ogt_struct_size(OGT_STRUCT_ERROR) == 512 && ogt_struct_size(OGT_STRUCT_SETTINGS) == 16 && ogt_struct_size(OGT_STRUCT_LOAD) == 40);
    CHECK(ogt_struct_size(OGT_STRUCT_MODULE) == 32 && ogt_struct_size(OGT_STRUCT_VALUE) == 456 && ogt_struct_size(OGT_STRUCT_TENSOR) == 104);
    CHECK(ogt_struct_size(OGT_STRUCT_DEVICE) == 432 && ogt_struct_size(OGT_STRUCT_MEMORY) == 56 && ogt_struct_size(OGT_STRUCT_TIMES) == 48);
    CHECK(ogt_struct_size(9) == 0);
}

TEST(texts_say_what_runs_here)
{
    start();
    CHECK(holds(text_of(OGT_TEXT_LIBTORCH), "."));
    CHECK(holds(text_of(OGT_TEXT_PATH), "libtorch_cpu.so"));
    CHECK(!text_of(OGT_TEXT_CPU).empty());
    CHECK(!text_of(OGT_TEXT_BLAS).empty());
    CHECK(text_of(OGT_TEXT_NUMERICS) == "fuser=off,profiling=off,tf32=off,reduced=off,deterministic=on,ftz=host");
    CHECK(holds(text_of(OGT_TEXT_CONFIG), "PyTorch built with"));
    text_of(OGT_TEXT_WARNING);
    text_of(OGT_TEXT_BLAS_PATH);
    text_of(OGT_TEXT_CUDA);
    std::fprintf(stderr, "libtorch %s, %s, %s, %s; %s\n", text_of(OGT_TEXT_LIBTORCH).c_str(), text_of(OGT_TEXT_CPU).c_str(), text_of(OGT_TEXT_BLAS).c_str(),
                 text_of(OGT_TEXT_BLAS_PATH).c_str(), text_of(OGT_TEXT_WARNING).c_str());
    size_t needed = 0;
    char small[2] = {'a', 'b'};
    CHECK_STATUS(OGT_SMALL_BUFFER, ogt_text(OGT_TEXT_PATH, small, 2, &needed, nullptr));
    CHECK(small[0] == 'a' && needed > 2);
    CHECK_STATUS(OGT_OUT_OF_RANGE, ogt_text(0, nullptr, 0, &needed, nullptr));
    CHECK_STATUS(OGT_OUT_OF_RANGE, ogt_text(99, nullptr, 0, &needed, nullptr));
    CHECK_STATUS(OGT_NULL_ARGUMENT, ogt_text(OGT_TEXT_PATH, nullptr, 8, &needed, nullptr));
    CHECK_STATUS(OGT_NULL_ARGUMENT, ogt_text(OGT_TEXT_PATH, nullptr, 0, nullptr, nullptr));
}

TEST(the_cpu_is_a_device_and_a_missing_one_has_a_reason)
{
    start();
    ogt_device device = {};
    ogt_error error = {};
    uint32_t count = 0;
    CHECK_STATUS(OGT_OK, ogt_device_count(OGT_CPU, &count, &error));
    CHECK(count == 1);
    CHECK_STATUS(OGT_OK, ogt_device_get(OGT_CPU, 0, &device, &error));
    CHECK(device.name[0] != 0 && device.multiprocessors > 0 && device.total_bytes > 0 && device.capability_major == 0 && device.reason[0] == 0);
    CHECK_STATUS(OGT_DEVICE_MISSING, ogt_device_get(OGT_CPU, 1, &device, &error));
    CHECK_STATUS(OGT_DEVICE_MISSING, ogt_device_get(OGT_CUDA, 1000, &device, &error));
    CHECK(device.reason[0] != 0 && std::string(device.reason) == std::string(error.text).substr(0, sizeof device.reason - 1));
    CHECK_STATUS(OGT_OUT_OF_RANGE, ogt_device_get(5, 0, &device, &error));
    CHECK_STATUS(OGT_OUT_OF_RANGE, ogt_device_count(5, &count, &error));
    CHECK_STATUS(OGT_NULL_ARGUMENT, ogt_device_get(OGT_CPU, 0, nullptr, &error));
    CHECK_STATUS(OGT_NULL_ARGUMENT, ogt_device_count(OGT_CPU, nullptr, nullptr));
    ogt_memory memory = {};
    CHECK_STATUS(OGT_OK, ogt_memory_get(OGT_CPU, 0, &memory, &error));
    CHECK(memory.resident > 0 && memory.allocated == 0);
    CHECK_STATUS(OGT_DEVICE_MISSING, ogt_memory_get(OGT_CUDA, 1000, &memory, &error));
    CHECK_STATUS(OGT_OK, ogt_memory_trim(OGT_CPU, 0, &error));
    CHECK_STATUS(OGT_OK, ogt_memory_reset_peak(OGT_CPU, 0, &error));
    CHECK_STATUS(OGT_NULL_ARGUMENT, ogt_memory_get(OGT_CPU, 0, nullptr, &error));
}

/* Sessions: termination, many threads, lifetimes, host memory. */
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

#include <ATen/Functions.h>

#include "fixture.h"

namespace {

const char *const endless = "def forward(self, x):\n    n = 0\n    while n >= 0:\n        n = (n + 1) % 1000\n    return x + n\n";
const char *const endless_products = "def forward(self, x):\n    while bool(x.sum() < 1e30):\n        x = x * 0.5\n    return x\n";

} // namespace

TEST(a_terminated_loop_ends_and_the_session_resumes)
{
    for (const char *source : {endless, endless_products}) {
        opened loop(archive(source));
        CHECK(loop.info.checkpoints > 0);
        const std::vector<float> input = {1};
        std::atomic<bool> begun{false};
        std::thread stopper([&] {
            while (!begun) std::this_thread::yield();
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            ogt_session_terminate(loop.session);
        });
        begun = true;
        auto outputs = lent(1);
        CHECK_STATUS(OGT_TERMINATED, loop.run({tensor_over(input, OGT_TYPE_FLOAT32, {1})}, outputs));
        stopper.join();
        CHECK_STATUS(OGT_TERMINATED, loop.run({tensor_over(input, OGT_TYPE_FLOAT32, {1})}, outputs));
        CHECK_STATUS(OGT_OK, ogt_session_resume(loop.session));
    }
    opened linear(linear_archive());
    const std::vector<float> rows = {1, 2, 3};
    auto outputs = lent(1);
    ogt_session_terminate(linear.session);
    CHECK_STATUS(OGT_TERMINATED, linear.run({tensor_over(rows, OGT_TYPE_FLOAT32, {1, 3})}, outputs));
    ogt_session_resume(linear.session);
    CHECK_STATUS(OGT_OK, linear.run({tensor_over(rows, OGT_TYPE_FLOAT32, {1, 3})}, outputs));
    CHECK_STATUS(OGT_NULL_ARGUMENT, ogt_session_terminate(nullptr));
    CHECK_STATUS(OGT_NULL_ARGUMENT, ogt_session_resume(nullptr));
}

TEST(checkpoints_stand_in_loops_and_between_operators)
{
    opened plain(archive("def forward(self, x):\n    return x + 1\n"));
    CHECK(plain.info.checkpoints == 0);
    std::string source = "def forward(self, x):\n";
    for (int i = 0; i < 100; i++) source += "    x = x + " + std::to_string(i) + "\n";
    opened straight(archive(source + "    return x\n"));
    CHECK(straight.info.checkpoints >= 5);
    opened nested(archive("def forward(self, x):\n    for i in range(x.size(0)):\n        for j in range(x.size(0)):\n            x = x + j\n    return x\n"));
    CHECK(nested.info.checkpoints >= 2);
    const std::vector<float> input = {1, 1, 1};
    auto outputs = lent(1);
    CHECK_STATUS(OGT_OK, nested.run({tensor_over(input, OGT_TYPE_FLOAT32, {3})}, outputs));
    CHECK(values_of<float>(outputs[0])[0] == 10);
}

TEST(sessions_of_one_module_run_at_once)
{
    opened linear(linear_archive());
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++)
        threads.emplace_back([&, t] {
            ogt_session *session = nullptr;
            if (ogt_session_create(linear.module, &session, nullptr) != OGT_OK) return void(wrong++);
            for (int i = 0; i < 500; i++) {
                std::vector<float> rows(static_cast<size_t>(3 * (1 + (i + t) % 5)));
                for (size_t k = 0; k < rows.size(); k++) rows[k] = static_cast<float>(t * 1000 + i) + static_cast<float>(k);
                const ogt_tensor input = tensor_over(rows, OGT_TYPE_FLOAT32, {static_cast<int64_t>(rows.size() / 3), 3});
                ogt_tensor output = {};
                if (ogt_run(session, &input, 1, &output, 1, nullptr) != OGT_OK || values_of<float>(output) != linear_expected(rows)) wrong++;
            }
            ogt_session_free(session);
        });
    for (std::thread &each : threads) each.join();
    CHECK(wrong == 0);
}

TEST(sessions_of_a_stateful_module_take_turns)
{
    torch::jit::Module module = scripted("");
    module.register_attribute("calls", c10::ListType::ofInts(), c10::List<int64_t>());
    module.define("def forward(self, x):\n    self.calls.append(1)\n    return x + len(self.calls)\n");
    ogt_load load = plain_load();
    load.freeze = OGT_FREEZE_NONE;
    opened counting(archive(module), load);
    CHECK((counting.info.flags & OGT_MODULE_STATEFUL) != 0);
    constexpr size_t threads_count = 4, each_count = 2000;
    std::vector<std::vector<float>> seen(threads_count);
    std::vector<std::thread> threads;
    for (size_t t = 0; t < threads_count; t++)
        threads.emplace_back([&, t] {
            ogt_session *session = nullptr;
            if (ogt_session_create(counting.module, &session, nullptr) != OGT_OK) return;
            const std::vector<float> input = {0};
            const ogt_tensor from = tensor_over(input, OGT_TYPE_FLOAT32, {1});
            for (size_t i = 0; i < each_count; i++) {
                ogt_tensor output = {};
                if (ogt_run(session, &from, 1, &output, 1, nullptr) == OGT_OK) seen[t].push_back(values_of<float>(output)[0]);
            }
            ogt_session_free(session);
        });
    for (std::thread &each : threads) each.join();
    std::vector<float> all;
    for (const auto &each : seen) all.insert(all.end(), each.begin(), each.end());
    std::sort(all.begin(), all.end());
    CHECK(all.size() == threads_count * each_count);
    for (size_t i = 0; i < all.size(); i++) CHECK(all[i] == static_cast<float>(i + 1));
}

TEST(a_session_in_a_call_refuses_another_threads)
{
    opened loop(archive(endless));
    const std::vector<float> input = {1};
    const ogt_tensor from = tensor_over(input, OGT_TYPE_FLOAT32, {1});
    std::atomic<ogt_status> ended{OGT_OK};
    std::thread caller([&] {
        ogt_status status = OGT_STATE;
        while (status == OGT_STATE) {
            ogt_tensor output = {};
            status = ogt_run(loop.session, &from, 1, &output, 1, nullptr);
        }
        ended = status;
    });
    ogt_status refused = OGT_OK;
    for (int i = 0; i < 120000 && refused != OGT_STATE; i++) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        ogt_tensor output = {};
        refused = ogt_outputs(loop.session, &output, 1, &loop.error);
        if (refused == OGT_STATE && !std::strstr(loop.error.text, "another thread")) refused = OGT_OK;
    }
    CHECK_STATUS(OGT_STATE, refused);
    ogt_tensor output = {};
    CHECK_STATUS(OGT_STATE, ogt_run(loop.session, &from, 1, &output, 1, &loop.error));
    CHECK(holds(loop.error.text, "another thread's call"));
    ogt_session_terminate(loop.session);
    caller.join();
    CHECK(ended == OGT_TERMINATED);
}

TEST(threads_inside_a_call_are_the_modules)
{
    /* 2 threads and 1 thread, alternating on the same calling thread: both give what one call alone gives */
    ogt_load two = plain_load();
    two.threads = 2;
    opened one_thread(linear_archive()), two_threads(linear_archive(), two);
    std::vector<float> rows(3 * 4096, 0.25f);
    for (int i = 0; i < 5; i++)
        for (opened *each : {&one_thread, &two_threads}) {
            auto outputs = lent(1);
            CHECK_STATUS(OGT_OK, each->run({tensor_over(rows, OGT_TYPE_FLOAT32, {4096, 3})}, outputs));
            CHECK(values_of<float>(outputs[0]) == linear_expected(rows));
        }
}

TEST(a_session_outlives_its_module)
{
    start();
    const std::string bytes = linear_archive();
    const ogt_load load = plain_load();
    ogt_module *module = nullptr;
    ogt_session *session = nullptr;
    CHECK_STATUS(OGT_OK, ogt_module_from_memory(bytes.data(), bytes.size(), &load, &module, nullptr));
    CHECK_STATUS(OGT_OK, ogt_session_create(module, &session, nullptr));
    ogt_module_free(module);
    const std::vector<float> rows = {1, 2, 3};
    const ogt_tensor input = tensor_over(rows, OGT_TYPE_FLOAT32, {1, 3});
    ogt_tensor output = {};
    CHECK_STATUS(OGT_OK, ogt_run(session, &input, 1, &output, 1, nullptr));
    CHECK(values_of<float>(output) == linear_expected(rows));
    ogt_session_free(session);
    ogt_session_free(nullptr);
    ogt_module_free(nullptr);
    CHECK_STATUS(OGT_NULL_ARGUMENT, ogt_session_create(nullptr, &session, nullptr));
    CHECK_STATUS(OGT_NULL_ARGUMENT, ogt_session_measure(nullptr, 1));
    CHECK_STATUS(OGT_NULL_ARGUMENT, ogt_session_times(nullptr, nullptr, nullptr));
}

TEST(the_archives_memory_may_go_after_loading)
{
    std::string bytes = linear_archive();
    opened linear(bytes);
    std::fill(bytes.begin(), bytes.end(), '\0');
    const std::vector<float> rows = {1, 2, 3};
    auto outputs = lent(1);
    CHECK_STATUS(OGT_OK, linear.run({tensor_over(rows, OGT_TYPE_FLOAT32, {1, 3})}, outputs));
    CHECK(values_of<float>(outputs[0]) == linear_expected(rows));
}

TEST(host_memory_is_aligned_and_bounded)
{
    start();
    void *memory = nullptr;
    CHECK_STATUS(OGT_OK, ogt_host_alloc(OGT_CPU, 100, &memory, nullptr));
    CHECK(memory != nullptr && reinterpret_cast<uintptr_t>(memory) % 64 == 0);
    ogt_host_free(OGT_CPU, memory);
    ogt_host_free(OGT_CPU, nullptr);
    ogt_host_free(OGT_CUDA, nullptr);
    CHECK_STATUS(OGT_OUT_OF_RANGE, ogt_host_alloc(OGT_CPU, 0, &memory, nullptr));
    CHECK(memory == nullptr);
    CHECK_STATUS(OGT_OUT_OF_RANGE, ogt_host_alloc(OGT_CPU, (1ull << 40) + 1, &memory, nullptr));
    CHECK_STATUS(OGT_OUT_OF_RANGE, ogt_host_alloc(7, 64, &memory, nullptr));
    CHECK_STATUS(OGT_NULL_ARGUMENT, ogt_host_alloc(OGT_CPU, 64, nullptr, nullptr));
}

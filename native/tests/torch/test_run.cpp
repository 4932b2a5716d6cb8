/* Running: values, shapes, negotiation, lending, failures of forward. */
#include <cstdlib>
#include <limits>

#include <ATen/Functions.h>

#include "fixture.h"

namespace {

const std::vector<float> two_rows = {1, 2, 3, -1, 0.5f, 4};

} // namespace

TEST(forward_of_rows_gives_their_products)
{
    opened linear(linear_archive());
    auto outputs = lent(1);
    CHECK_STATUS(OGT_OK, linear.run({tensor_over(two_rows, OGT_TYPE_FLOAT32, {2, 3})}, outputs));
    CHECK(outputs[0].type == OGT_TYPE_FLOAT32 && outputs[0].rank == 2 && outputs[0].shape[0] == 2 && outputs[0].shape[1] == 2);
    CHECK(outputs[0].bytes == 16 && outputs[0].capacity == 0);
    CHECK(values_of<float>(outputs[0]) == linear_expected(two_rows));
}

TEST(a_second_run_with_other_memory_and_shape_reads_that)
{
    opened linear(linear_archive());
    auto outputs = lent(1);
    CHECK_STATUS(OGT_OK, linear.run({tensor_over(two_rows, OGT_TYPE_FLOAT32, {2, 3})}, outputs));
    std::vector<float> other = {7, 8, 9};
    outputs = lent(1);
    CHECK_STATUS(OGT_OK, linear.run({tensor_over(other, OGT_TYPE_FLOAT32, {1, 3})}, outputs));
    CHECK(values_of<float>(outputs[0]) == linear_expected(other));
    other[0] = -7; /* same memory, same shape: the values are read again */
    outputs = lent(1);
    CHECK_STATUS(OGT_OK, linear.run({tensor_over(other, OGT_TYPE_FLOAT32, {1, 3})}, outputs));
    CHECK(values_of<float>(outputs[0]) == linear_expected(other));
}

TEST(no_rows_give_no_rows)
{
    opened linear(linear_archive());
    auto outputs = lent(1);
    ogt_tensor empty = {};
    empty.type = OGT_TYPE_FLOAT32;
    empty.rank = 2;
    empty.shape[1] = 3;
    CHECK_STATUS(OGT_OK, linear.run({empty}, outputs));
    CHECK(outputs[0].bytes == 0 && outputs[0].data != nullptr && outputs[0].shape[0] == 0 && outputs[0].shape[1] == 2);
}

TEST(a_small_buffer_is_told_its_size_and_filled_without_another_forward)
{
    /* forward counts its calls, so a second one would show */
    torch::jit::Module module = scripted("");
    module.register_attribute("calls", c10::IntType::get(), 0);
    module.define("def forward(self, x):\n    self.calls += 1\n    return x + self.calls, x * 2\n");
    ogt_load load = plain_load();
    load.freeze = OGT_FREEZE_NONE;
    opened counting(archive(module), load);
    CHECK((counting.info.flags & OGT_MODULE_STATEFUL) != 0);
    std::vector<float> first(6, 99), second(1, 99);
    std::vector<ogt_tensor> outputs = lent(2);
    outputs[0].data = first.data();
    outputs[0].capacity = 24;
    outputs[1].data = second.data();
    outputs[1].capacity = 4;
    CHECK_STATUS(OGT_SMALL_BUFFER, counting.run({tensor_over(two_rows, OGT_TYPE_FLOAT32, {6})}, outputs));
    CHECK(outputs[0].bytes == 24 && outputs[1].bytes == 24 && outputs[1].rank == 1 && outputs[1].shape[0] == 6);
    CHECK(first[0] == 99 && second[0] == 99);
    CHECK(holds(counting.error.text, "24"));
    second.resize(6);
    outputs[1].data = second.data();
    outputs[1].capacity = 24;
    CHECK_STATUS(OGT_OK, ogt_outputs(counting.session, outputs.data(), 2, nullptr));
    CHECK(first[0] == two_rows[0] + 1 && second[5] == two_rows[5] * 2);
    CHECK_STATUS(OGT_OK, ogt_outputs(counting.session, outputs.data(), 2, nullptr));
    CHECK(first[0] == two_rows[0] + 1);
}

TEST(outputs_before_a_run_are_refused)
{
    opened linear(linear_archive());
    auto outputs = lent(1);
    CHECK_STATUS(OGT_STATE, ogt_outputs(linear.session, outputs.data(), 1, &linear.error));
    std::vector<float> wrong(2);
    CHECK_STATUS(OGT_WRONG_INPUT, linear.run({tensor_over(wrong, OGT_TYPE_FLOAT32, {1, 2})}, outputs));
    CHECK_STATUS(OGT_STATE, ogt_outputs(linear.session, outputs.data(), 1, &linear.error));
}

TEST(an_output_that_is_the_input_is_lent_as_a_copy)
{
    opened identity(archive("def forward(self, x):\n    return x\n"));
    std::vector<float> input = {1, 2, 3};
    auto outputs = lent(1);
    CHECK_STATUS(OGT_OK, identity.run({tensor_over(input, OGT_TYPE_FLOAT32, {3})}, outputs));
    CHECK(outputs[0].data != input.data());
    input[0] = 42;
    CHECK(values_of<float>(outputs[0])[0] == 1);
}

TEST(an_input_that_forward_writes_to_stays_the_callers)
{
    opened writes(archive("def forward(self, x):\n    x.add_(1)\n    return x * 2\n"));
    CHECK((writes.info.flags & OGT_MODULE_WRITES_INPUT) != 0);
    std::vector<float> input = {1, 2};
    auto outputs = lent(1);
    for (int i = 0; i < 2; i++) {
        outputs = lent(1);
        CHECK_STATUS(OGT_OK, writes.run({tensor_over(input, OGT_TYPE_FLOAT32, {2})}, outputs));
        CHECK(values_of<float>(outputs[0]) == (std::vector<float>{4, 6}));
        CHECK(input[0] == 1 && input[1] == 2);
    }
}

TEST(a_transposed_or_sliced_output_is_row_major)
{
    opened views(archive("def forward(self, x):\n    return x.t(), x[:, 1:2], x.expand(2, 2, 3)\n"));
    auto outputs = lent(3);
    CHECK_STATUS(OGT_OK, views.run({tensor_over(two_rows, OGT_TYPE_FLOAT32, {2, 3})}, outputs));
    CHECK(values_of<float>(outputs[0]) == (std::vector<float>{1, -1, 2, 0.5f, 3, 4}));
    CHECK(values_of<float>(outputs[1]) == (std::vector<float>{2, 0.5f}));
    CHECK(outputs[2].rank == 3 && outputs[2].bytes == 48 && values_of<float>(outputs[2])[6] == 1);
}

TEST(a_lazy_sign_is_in_the_bytes)
{
    /* one element: row-major already, so that nothing copies it */
    opened lazy(archive("def forward(self, x):\n    return torch._neg_view(x + 0)\n"));
    const std::vector<float> input = {3};
    auto outputs = lent(1);
    CHECK_STATUS(OGT_OK, lazy.run({tensor_over(input, OGT_TYPE_FLOAT32, {1})}, outputs));
    CHECK(values_of<float>(outputs[0])[0] == -3);
}

TEST(an_output_without_memory_is_refused)
{
    opened zero(archive("def forward(self, x):\n    return torch._efficientzerotensor([3])\n"));
    const std::vector<float> input = {3};
    auto outputs = lent(1);
    CHECK_STATUS(OGT_WRONG_OUTPUT, zero.run({tensor_over(input, OGT_TYPE_FLOAT32, {1})}, outputs));
    CHECK(holds(zero.error.text, "without memory"));
}

TEST(dimensions_that_overflow_beside_a_zero_are_refused)
{
    opened identity(archive("def forward(self, x):\n    return x + 1\n"));
    ogt_tensor empty = {};
    empty.type = OGT_TYPE_FLOAT32;
    empty.rank = 3;
    empty.shape[1] = empty.shape[2] = int64_t{1} << 40;
    auto outputs = lent(1);
    CHECK_STATUS(OGT_WRONG_INPUT, identity.run({empty}, outputs));
    empty.shape[2] = 2;
    CHECK_STATUS(OGT_OK, identity.run({empty}, outputs));
    CHECK(outputs[0].bytes == 0 && outputs[0].shape[1] == int64_t{1} << 40);
}

TEST(every_type_goes_in_and_comes_out)
{
    opened identity(archive("def forward(self, x):\n    return x.clone()\n"));
    for (uint32_t type : {OGT_TYPE_FLOAT32, OGT_TYPE_UINT8, OGT_TYPE_INT8, OGT_TYPE_INT16, OGT_TYPE_INT32, OGT_TYPE_INT64, OGT_TYPE_BOOL, OGT_TYPE_FLOAT16,
                          OGT_TYPE_FLOAT64}) {
        std::vector<uint8_t> bytes(16, 1);
        const size_t size = type == OGT_TYPE_FLOAT64 || type == OGT_TYPE_INT64 ? 8
                            : type == OGT_TYPE_FLOAT32 || type == OGT_TYPE_INT32 ? 4 : type == OGT_TYPE_INT16 || type == OGT_TYPE_FLOAT16 ? 2 : 1;
        auto outputs = lent(1);
        CHECK_STATUS(OGT_OK, identity.run({tensor_over(bytes, type, {static_cast<int64_t>(16 / size)})}, outputs));
        CHECK(outputs[0].type == type && values_of<uint8_t>(outputs[0]) == bytes);
    }
    std::vector<uint8_t> bytes(16);
    auto outputs = lent(1);
    for (uint32_t type : {0u, 8u, 16u, 99u}) CHECK_STATUS(OGT_WRONG_INPUT, identity.run({tensor_over(bytes, type, {16})}, outputs));
}

TEST(inputs_that_are_not_as_declared_are_refused)
{
    opened linear(linear_archive());
    auto outputs = lent(1);
    CHECK_STATUS(OGT_WRONG_INPUT, linear.run({tensor_over(two_rows, OGT_TYPE_FLOAT32, {3, 2})}, outputs));
    CHECK(holds(linear.error.text, "dimension 1 is not 3"));
    CHECK_STATUS(OGT_WRONG_INPUT, linear.run({tensor_over(two_rows, OGT_TYPE_INT32, {2, 3})}, outputs));
    CHECK(holds(linear.error.text, "is int32, not float32"));
    CHECK_STATUS(OGT_WRONG_INPUT, linear.run({tensor_over(two_rows, OGT_TYPE_FLOAT32, {6})}, outputs));
    CHECK_STATUS(OGT_WRONG_INPUT, linear.run({tensor_over(two_rows, OGT_TYPE_FLOAT32, {1, 3})}, outputs));
    CHECK(holds(linear.error.text, "24 bytes, its shape 12"));
    CHECK_STATUS(OGT_WRONG_INPUT, linear.run({tensor_over(two_rows, OGT_TYPE_FLOAT32, {-2, 3})}, outputs));
    CHECK_STATUS(OGT_WRONG_INPUT, linear.run({tensor_over(two_rows, OGT_TYPE_FLOAT32, {std::numeric_limits<int64_t>::max(), 3})}, outputs));
    ogt_tensor deep = tensor_over(two_rows, OGT_TYPE_FLOAT32, {2, 3});
    deep.rank = 9;
    CHECK_STATUS(OGT_WRONG_INPUT, linear.run({deep}, outputs));
    ogt_tensor nowhere = tensor_over(two_rows, OGT_TYPE_FLOAT32, {2, 3});
    nowhere.data = nullptr;
    CHECK_STATUS(OGT_NULL_ARGUMENT, linear.run({nowhere}, outputs));
    const ogt_tensor twice[] = {tensor_over(two_rows, OGT_TYPE_FLOAT32, {2, 3}), tensor_over(two_rows, OGT_TYPE_FLOAT32, {2, 3})};
    CHECK_STATUS(OGT_OUT_OF_RANGE, ogt_run(linear.session, twice, 2, outputs.data(), 1, &linear.error));
    CHECK_STATUS(OGT_OUT_OF_RANGE, ogt_run(linear.session, twice, 1, outputs.data(), 0, &linear.error));
    CHECK_STATUS(OGT_NULL_ARGUMENT, ogt_run(linear.session, nullptr, 1, outputs.data(), 1, nullptr));
    CHECK_STATUS(OGT_NULL_ARGUMENT, ogt_run(nullptr, nullptr, 0, nullptr, 0, &linear.error));
    CHECK_STATUS(OGT_OK, linear.run({tensor_over(two_rows, OGT_TYPE_FLOAT32, {2, 3})}, outputs));
}

TEST(equal_symbols_must_be_equal_sizes)
{
    opened sums(archive("def forward(self, x, y):\n    return x + y\n", "input x float32 ?n\ninput y float32 ?n\noutput z float32 ?n\n"));
    auto outputs = lent(1);
    CHECK_STATUS(OGT_WRONG_INPUT, sums.run({tensor_over(two_rows, OGT_TYPE_FLOAT32, {6}), tensor_over(std::vector<float>{1}, OGT_TYPE_FLOAT32, {1})}, outputs));
    CHECK(holds(sums.error.text, "dimension 0 is not 6 (n)"));
}

TEST(a_forward_that_raises_says_why_and_serves_on)
{
    opened picky(archive("def forward(self, x):\n    assert bool(x.sum() >= 0), 'negative sums are not served'\n    return x\n"));
    std::vector<float> bad = {-1, 0}, good = {1, 0};
    auto outputs = lent(1);
    CHECK_STATUS(OGT_RAISED, picky.run({tensor_over(bad, OGT_TYPE_FLOAT32, {2})}, outputs));
    CHECK(holds(picky.error.text, "negative sums are not served"));
    CHECK_STATUS(OGT_OK, picky.run({tensor_over(good, OGT_TYPE_FLOAT32, {2})}, outputs));
    opened shapes(archive("def forward(self, x):\n    return torch.matmul(x, torch.ones([5, 5]))\n"));
    CHECK_STATUS(OGT_RAISED, shapes.run({tensor_over(two_rows, OGT_TYPE_FLOAT32, {2, 3})}, outputs));
    CHECK(holds(shapes.error.text, "mat1 and mat2 shapes cannot be multiplied"));
}

TEST(outputs_that_are_not_as_declared_are_refused)
{
    const char *declared = "input x float32 ?n 3\noutput y float32 ?n 3\n";
    auto outputs = lent(1);
    opened type(archive("def forward(self, x):\n    return x.long()\n", declared));
    CHECK_STATUS(OGT_WRONG_OUTPUT, type.run({tensor_over(two_rows, OGT_TYPE_FLOAT32, {2, 3})}, outputs));
    CHECK(holds(type.error.text, "'y' is int64, not float32"));
    opened shape(archive("def forward(self, x):\n    return x[0:1]\n", declared));
    CHECK_STATUS(OGT_WRONG_OUTPUT, shape.run({tensor_over(two_rows, OGT_TYPE_FLOAT32, {2, 3})}, outputs));
    CHECK(holds(shape.error.text, "dimension 0 is not 2"));
    opened complex(archive("def forward(self, x):\n    return torch.complex(x, x)\n"));
    CHECK_STATUS(OGT_WRONG_OUTPUT, complex.run({tensor_over(two_rows, OGT_TYPE_FLOAT32, {2, 3})}, outputs));
    opened sparse(archive("def forward(self, x):\n    return x.to_sparse()\n"));
    CHECK_STATUS(OGT_WRONG_OUTPUT, sparse.run({tensor_over(two_rows, OGT_TYPE_FLOAT32, {2, 3})}, outputs));
    opened deep(archive("def forward(self, x):\n    return x.reshape([1, 1, 1, 1, 1, 1, 1, 2, 3])\n"));
    CHECK_STATUS(OGT_WRONG_OUTPUT, deep.run({tensor_over(two_rows, OGT_TYPE_FLOAT32, {2, 3})}, outputs));
}

TEST(memory_that_cannot_be_had_is_told_and_counted)
{
    opened huge(archive("def forward(self, x):\n    return torch.ones([int(x.sum()), 1048576, 1048576])\n"));
    ogt_memory before = {}, after = {};
    CHECK_STATUS(OGT_OK, ogt_memory_get(OGT_CPU, 0, &before, nullptr));
    std::vector<float> many = {1048576}, none = {0};
    auto outputs = lent(1);
    CHECK_STATUS(OGT_OUT_OF_MEMORY, huge.run({tensor_over(many, OGT_TYPE_FLOAT32, {1})}, outputs));
    CHECK_STATUS(OGT_OK, ogt_memory_get(OGT_CPU, 0, &after, nullptr));
    CHECK(after.out_of_memory == before.out_of_memory + 1 && after.resident > 0);
    CHECK_STATUS(OGT_OK, huge.run({tensor_over(none, OGT_TYPE_FLOAT32, {1})}, outputs));
}

TEST(parameters_with_defaults_may_be_left_out)
{
    opened scaled(archive("def forward(self, x, scale: float = 3.0, shift: Optional[Tensor] = None):\n    if shift is not None:\n        x = x + shift\n    return x * scale\n"));
    CHECK(scaled.info.inputs == 1);
    std::vector<float> input = {2};
    auto outputs = lent(1);
    CHECK_STATUS(OGT_OK, scaled.run({tensor_over(input, OGT_TYPE_FLOAT32, {1})}, outputs));
    CHECK(values_of<float>(outputs[0])[0] == 6);
}

TEST(times_are_measured_only_when_asked)
{
    opened linear(linear_archive());
    auto outputs = lent(1);
    ogt_times times = {};
    CHECK_STATUS(OGT_OK, linear.run({tensor_over(two_rows, OGT_TYPE_FLOAT32, {2, 3})}, outputs));
    CHECK_STATUS(OGT_OK, ogt_session_times(linear.session, &times, nullptr));
    CHECK(times.total == 0 && times.forward == 0);
    CHECK_STATUS(OGT_OK, ogt_session_measure(linear.session, 1));
    outputs = lent(1);
    CHECK_STATUS(OGT_OK, linear.run({tensor_over(two_rows, OGT_TYPE_FLOAT32, {2, 3})}, outputs));
    CHECK_STATUS(OGT_OK, ogt_session_times(linear.session, &times, nullptr));
    CHECK(times.forward > 0 && times.total >= times.forward && times.stage == 0 && times.wait == 0 && times.device == 0);
}

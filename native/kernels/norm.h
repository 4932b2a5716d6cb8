/* RMS normalization and the gated activation; a body of ops_table.h. Sums go lane by lane over sixteen lanes, then fold. */

/* 1 / sqrt(mean of squares + epsilon) of n values, a multiple of 16. */
static float inverse_rms(uint32_t n, const float *x, float epsilon)
{
    lanes squares = lanes_set(0.0f);
    for (uint32_t i = 0; i < n; i += OGK_WIDTH) {
        lanes v = lanes_load(x + i);
        squares = lanes_fma(v, v, squares);
    }
    return 1.0f / __builtin_sqrtf(lanes_sum(squares) / (float)n + epsilon);
}

static void scale_by(uint32_t n, const float *x, float factor, const float *weight, float *y)
{
    lanes all = lanes_set(factor);
    for (uint32_t i = 0; i < n; i += OGK_WIDTH)
        lanes_store(y + i, lanes_mul(lanes_mul(lanes_load(x + i), all), lanes_load(weight + i)));
}

static void add_norm(uint32_t n, float *x, const float *delta, const float *bias, const float *weight, float epsilon, float *y)
{
    if (delta != NULL)
        for (uint32_t i = 0; i < n; i += OGK_WIDTH) {
            lanes added = lanes_load(delta + i);
            if (bias != NULL) added = lanes_add(added, lanes_load(bias + i));
            lanes_store(x + i, lanes_add(lanes_load(x + i), added));
        }
    scale_by(n, x, inverse_rms(n, x, epsilon), weight, y);
}

static void silu_multiply(uint32_t n, float *gate, const float *up)
{
    for (uint32_t i = 0; i < n; i += OGK_WIDTH) lanes_store(gate + i, lanes_mul(lanes_silu(lanes_load(gate + i)), lanes_load(up + i)));
}

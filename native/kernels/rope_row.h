/*
 * Rotary embedding in Hugging Face's layout (dimension i turns with i + head_dim / 2), biases, the norms of Qwen3's queries
 * and keys, and the new token's place in the cache; a body of ops_table.h.
 */

static void add_bias(uint32_t n, float *x, const float *bias)
{
    for (uint32_t i = 0; i < n; i += OGK_WIDTH) lanes_store(x + i, lanes_add(lanes_load(x + i), lanes_load(bias + i)));
}

/* (a, b) becomes (a cos - b sin, b cos + a sin): one product is rounded, the other joins in the FMA. */
static void rotate(uint32_t head_dim, float *x, const float *cosines, const float *sines, float scale)
{
    uint32_t half = head_dim / 2, i = 0;
    lanes all = lanes_set(scale);
    for (; i + OGK_WIDTH <= half; i += OGK_WIDTH) {
        lanes a = lanes_load(x + i), b = lanes_load(x + half + i), c = lanes_load(cosines + i), s = lanes_load(sines + i);
        lanes_store(x + i, lanes_mul(lanes_fnma(b, s, lanes_mul(a, c)), all));
        lanes_store(x + half + i, lanes_mul(lanes_fma(a, s, lanes_mul(b, c)), all));
    }
    if (i < half) { /* half is a multiple of 8 */
        float first[16] = {0}, second[16] = {0}, cosine[16] = {0}, sine[16] = {0};
        size_t rest = (half - i) * sizeof(float);
        memcpy(first, x + i, rest);
        memcpy(second, x + half + i, rest);
        memcpy(cosine, cosines + i, rest);
        memcpy(sine, sines + i, rest);
        lanes a = lanes_load(first), b = lanes_load(second), c = lanes_load(cosine), s = lanes_load(sine);
        lanes_store(first, lanes_mul(lanes_fnma(b, s, lanes_mul(a, c)), all));
        lanes_store(second, lanes_mul(lanes_fma(a, s, lanes_mul(b, c)), all));
        memcpy(x + i, first, rest);
        memcpy(x + half + i, second, rest);
    }
}

/* fp16's largest instead of infinity, so that one outlier cannot turn a row into NaN. */
static void to_half(uint32_t n, const float *x, uint16_t *halves)
{
    lanes most = lanes_set(65504.0f), least = lanes_set(-65504.0f);
    for (uint32_t i = 0; i < n; i += OGK_WIDTH) lanes_store_half(halves + i, lanes_min(lanes_max(lanes_load(x + i), least), most));
}

static void rope_row(const ogk_rope_row *row)
{
    uint32_t dim = row->head_dim;
    float *keys = row->qkv + (size_t)row->heads * dim, *values = keys + (size_t)row->kv_heads * dim;
    if (row->bias != NULL) add_bias((row->heads + 2 * row->kv_heads) * dim, row->qkv, row->bias);
    for (uint32_t h = 0; h < row->heads; h++) {
        float *q = row->qkv + (size_t)h * dim;
        if (row->q_norm != NULL) scale_by(dim, q, inverse_rms(dim, q, row->epsilon), row->q_norm, q);
        rotate(dim, q, row->cosines, row->sines, row->scale);
    }
    for (uint32_t h = 0; h < row->kv_heads; h++) {
        float *k = keys + (size_t)h * dim;
        if (row->k_norm != NULL) scale_by(dim, k, inverse_rms(dim, k, row->epsilon), row->k_norm, k);
        rotate(dim, k, row->cosines, row->sines, 1.0f);
        uint16_t halves[OGK_HEAD_DIM_MOST];
        to_half(dim, k, halves);
        uint16_t *cached = row->keys + h * row->head_stride;
        for (uint32_t d = 0; d < dim; d++) cached[(size_t)d * OGK_KEYS_BLOCK] = halves[d];
        to_half(dim, values + (size_t)h * dim, row->values + h * row->head_stride);
    }
}

/*
 * The decoder in double precision, one position after the other, nothing fused. It rounds where the kernels' definition
 * rounds to another format (linear layers' inputs and weights, cached keys and values), so that what is left between the
 * two is fp32's own rounding.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "linear.h"
#include "linear_numbers.h"
#include "model_fixture.h"

static double *doubles(size_t count)
{
    double *made = calloc(count, sizeof *made);
    CHECK(made != NULL);
    return made;
}

/* What a linear layer makes of a row of its input. */
static void round_input(uint32_t scheme, uint32_t count, double *x)
{
    for (uint32_t g = 0; g < count; g += OGK_GROUP) {
        double most = 0;
        for (uint32_t i = g; i < g + OGK_GROUP; i++) most = fmax(most, fabs(x[i]));
        for (uint32_t i = g; i < g + OGK_GROUP; i++) {
            if (scheme == OGK_BF16)
                x[i] = (double)ogk_from_bf16(ogk_to_bf16((float)x[i]));
            else
                x[i] = most == 0 ? 0 : nearbyint(x[i] * 127 / most) * most / 127;
        }
    }
}

/* The weights as the layer holds them. */
static float *held(const fixture *f, const tensor *t)
{
    uint32_t rows = (uint32_t)t->dimensions[0], columns = (uint32_t)t->dimensions[1], scheme = f->config.scheme;
    void *packed = aligned_alloc(64, (ogk_linear_packed_size(scheme, rows, columns) + 63) / 64 * 64);
    float *values = malloc((size_t)rows * columns * sizeof *values);
    CHECK(packed != NULL && values != NULL);
    ogk_linear_pack(scheme, rows, columns, OGK_TYPE_F32, t->values, 0, (rows + OGK_PANEL - 1) / OGK_PANEL, packed);
    for (uint32_t r = 0; r < rows; r++) ogk_linear_row(scheme, columns, packed, r, values + (size_t)r * columns);
    free(packed);
    return values;
}

static double *multiply(const fixture *f, const tensor *t, const tensor *bias, const double *x, uint32_t count)
{
    uint32_t rows = (uint32_t)t->dimensions[0], columns = (uint32_t)t->dimensions[1];
    float *weights = held(f, t);
    double *y = doubles((size_t)count * rows), *input = doubles(columns);
    for (uint32_t p = 0; p < count; p++) {
        memcpy(input, x + (size_t)p * columns, columns * sizeof *input);
        round_input(f->config.scheme, columns, input);
        for (uint32_t r = 0; r < rows; r++) {
            double sum = bias == NULL ? 0 : (double)bias->values[r];
            for (uint32_t k = 0; k < columns; k++) sum += input[k] * (double)weights[(size_t)r * columns + k];
            y[(size_t)p * rows + r] = sum;
        }
    }
    free(weights);
    free(input);
    return y;
}

static void norm_row(const fixture *f, uint32_t size, const double *x, const tensor *weight, double *y)
{
    double sum = 0;
    for (uint32_t i = 0; i < size; i++) sum += x[i] * x[i];
    double factor = 1 / sqrt(sum / size + (double)f->config.norm_epsilon);
    for (uint32_t i = 0; i < size; i++) y[i] = x[i] * factor * (double)weight->values[i];
}

static double *norm_all(const fixture *f, const double *x, const tensor *weight, uint32_t count)
{
    uint32_t hidden = f->config.hidden;
    double *y = doubles((size_t)count * hidden);
    for (uint32_t p = 0; p < count; p++) norm_row(f, hidden, x + (size_t)p * hidden, weight, y + (size_t)p * hidden);
    return y;
}

static double frequency(const ogk_config *c, uint32_t i)
{
    double plain = pow((double)c->rope_theta, -2.0 * i / c->head_dim), factor = (double)c->rope_factor;
    if (c->rope_kind == OGK_ROPE_LINEAR) plain /= factor;
    if (c->rope_kind == OGK_ROPE_LLAMA3) {
        double original = c->rope_original_context, wave = 2 * M_PI / plain;
        double low = (double)c->rope_low_frequency, high = (double)c->rope_high_frequency;
        if (wave > original / low)
            plain /= factor;
        else if (wave >= original / high) {
            double smooth = (original / wave - low) / (high - low);
            plain = (1 - smooth) * plain / factor + smooth * plain;
        }
    }
    return plain;
}

static void rotate_row(const ogk_config *c, uint32_t position, double *x)
{
    uint32_t half = c->head_dim / 2;
    for (uint32_t i = 0; i < half; i++) {
        double angle = position * frequency(c, i), a = x[i], b = x[half + i];
        x[i] = a * cos(angle) - b * sin(angle);
        x[half + i] = b * cos(angle) + a * sin(angle);
    }
}

static void rotate_all(const fixture *f, double *x, uint32_t heads, const tensor *norm, uint32_t count)
{
    uint32_t dim = f->config.head_dim;
    for (uint32_t i = 0; i < count * heads; i++) {
        if (norm != NULL) norm_row(f, dim, x + (size_t)i * dim, norm, x + (size_t)i * dim);
        rotate_row(&f->config, i / heads, x + (size_t)i * dim);
    }
}

static void to_cache(double *x, size_t count)
{
    for (size_t i = 0; i < count; i++) x[i] = (double)ogk_from_fp16(ogk_to_fp16((float)x[i]));
}

static double *attend_all(const ogk_config *c, const double *q, const double *k, const double *v, uint32_t count)
{
    uint32_t dim = c->head_dim, group = c->heads / c->kv_heads;
    double *out = doubles((size_t)count * c->heads * dim), *weights = doubles(count);
    for (uint32_t p = 0; p < count; p++)
        for (uint32_t h = 0; h < c->heads; h++) {
            const double *query = q + ((size_t)p * c->heads + h) * dim;
            double most = -INFINITY, total = 0;
            for (uint32_t t = 0; t <= p; t++) {
                weights[t] = 0;
                for (uint32_t d = 0; d < dim; d++) weights[t] += query[d] * k[((size_t)t * c->kv_heads + h / group) * dim + d];
                weights[t] /= sqrt(dim);
                most = fmax(most, weights[t]);
            }
            for (uint32_t t = 0; t <= p; t++) total += weights[t] = exp(weights[t] - most);
            for (uint32_t t = 0; t <= p; t++)
                for (uint32_t d = 0; d < dim; d++)
                    out[((size_t)p * c->heads + h) * dim + d] += weights[t] / total * v[((size_t)t * c->kv_heads + h / group) * dim + d];
        }
    free(weights);
    return out;
}

static void add_all(double *x, double *delta, size_t count)
{
    for (size_t i = 0; i < count; i++) x[i] += delta[i];
    free(delta);
}

static void attention_layer(const fixture *f, uint32_t layer, double *x, uint32_t count)
{
    const ogk_config *c = &f->config;
    double *normed = norm_all(f, x, fixture_find(f, "input_layernorm.weight", layer), count);
    double *q = multiply(f, fixture_find(f, "self_attn.q_proj.weight", layer), fixture_find(f, "self_attn.q_proj.bias", layer), normed, count);
    double *k = multiply(f, fixture_find(f, "self_attn.k_proj.weight", layer), fixture_find(f, "self_attn.k_proj.bias", layer), normed, count);
    double *v = multiply(f, fixture_find(f, "self_attn.v_proj.weight", layer), fixture_find(f, "self_attn.v_proj.bias", layer), normed, count);
    rotate_all(f, q, c->heads, fixture_find(f, "self_attn.q_norm.weight", layer), count);
    rotate_all(f, k, c->kv_heads, fixture_find(f, "self_attn.k_norm.weight", layer), count);
    to_cache(k, (size_t)count * c->kv_heads * c->head_dim);
    to_cache(v, (size_t)count * c->kv_heads * c->head_dim);
    double *out = attend_all(c, q, k, v, count);
    add_all(x, multiply(f, fixture_find(f, "self_attn.o_proj.weight", layer), fixture_find(f, "self_attn.o_proj.bias", layer), out, count),
            (size_t)count * c->hidden);
    free(normed);
    free(q);
    free(k);
    free(v);
    free(out);
}

static void mlp_layer(const fixture *f, uint32_t layer, double *x, uint32_t count)
{
    const ogk_config *c = &f->config;
    double *normed = norm_all(f, x, fixture_find(f, "post_attention_layernorm.weight", layer), count);
    double *gate = multiply(f, fixture_find(f, "mlp.gate_proj.weight", layer), NULL, normed, count);
    double *up = multiply(f, fixture_find(f, "mlp.up_proj.weight", layer), NULL, normed, count);
    for (size_t i = 0; i < (size_t)count * c->intermediate; i++) gate[i] = gate[i] / (1 + exp(-gate[i])) * up[i];
    add_all(x, multiply(f, fixture_find(f, "mlp.down_proj.weight", layer), NULL, gate, count), (size_t)count * c->hidden);
    free(normed);
    free(gate);
    free(up);
}

double *reference_logits(const fixture *f, const int32_t *tokens, uint32_t count)
{
    const ogk_config *c = &f->config;
    const tensor *embedding = fixture_find(f, "model.embed_tokens.weight", 0);
    const tensor *head = c->tied_embeddings ? embedding : fixture_find(f, "lm_head.weight", 0);
    float *rows = c->tied_embeddings ? held(f, embedding) : NULL;
    double *x = doubles((size_t)count * c->hidden);
    for (uint32_t p = 0; p < count; p++)
        for (uint32_t i = 0; i < c->hidden; i++) {
            size_t at = (size_t)tokens[p] * c->hidden + i;
            x[(size_t)p * c->hidden + i] = (double)(rows != NULL ? rows[at] : ogk_from_bf16(ogk_to_bf16(embedding->values[at])));
        }
    for (uint32_t layer = 0; layer < c->layers; layer++) {
        attention_layer(f, layer, x, count);
        mlp_layer(f, layer, x, count);
    }
    double *normed = norm_all(f, x, fixture_find(f, "model.norm.weight", 0), count);
    double *logits = multiply(f, head, NULL, normed, count);
    free(rows);
    free(x);
    free(normed);
    return logits;
}

#include "ort.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { API_VERSION = 22 };

/* Positions in OrtApi. */
enum {
  GET_ERROR_MESSAGE = 2, CREATE_ENV = 3, CREATE_SESSION = 7, RUN = 9, CREATE_SESSION_OPTIONS = 10, SET_EXECUTION_MODE = 13,
  SET_GRAPH_LEVEL = 23, SET_INTRA_OP = 24, SET_INTER_OP = 25, INPUT_COUNT = 30, OUTPUT_COUNT = 31, INPUT_TYPE_INFO = 33,
  INPUT_NAME = 36, OUTPUT_NAME = 37, CREATE_TENSOR = 49, TENSOR_DATA = 51, CAST_TYPE_INFO = 55, ELEMENT_TYPE = 60,
  DIMENSIONS_COUNT = 61, DIMENSIONS = 62, TYPE_AND_SHAPE = 65, CREATE_CPU_MEMORY_INFO = 69, DEFAULT_ALLOCATOR = 78,
  RELEASE_VALUE = 96, RELEASE_TYPE_INFO = 98, RELEASE_SHAPE_INFO = 99, ADD_CONFIG_ENTRY = 130
};

typedef void *status; /* OrtStatus*, null for success */
typedef void (*entry)(void); /* cast to its real type before each call */

typedef struct {
  const entry *(*get_api)(uint32_t version);
  const char *(*get_version)(void);
} api_base;

typedef status (*run_fn)(void *session, const void *options, const char *const *input_names, void *const *inputs, size_t input_count,
                         const char *const *output_names, size_t output_count, void **outputs);
typedef status (*create_tensor_fn)(const void *memory, void *data, size_t bytes, const int64_t *shape, size_t rank, int type, void **out);
typedef status (*tensor_data_fn)(void *value, void **out);
typedef void (*release_fn)(void *);

static const api_base *base;
static const entry *table;
static void *session, *memory_info;
static model_spec model;
static run_fn run;
static create_tensor_fn create_tensor;
static tensor_data_fn tensor_data;
static release_fn release_value;

static _Noreturn void fail(const char *what, const char *detail) {
  fprintf(stderr, "og_plain: %s: %s\n", what, detail);
  exit(1);
}

static void check(status s, const char *what) {
  if (s != NULL) fail(what, ((const char *(*)(const void *))table[GET_ERROR_MESSAGE])(s));
}

#define CALL(slot, types, args) check(((status(*) types)table[slot])args, #slot)

static size_t element_size(int type) {
  switch (type) {
    case 2: case 3: case 9: return 1;
    case 4: case 5: case 10: case 16: return 2;
    case 1: case 6: case 12: return 4;
    case 7: case 11: case 13: return 8;
    default: fail("model", "a tensor type that has no fixed size");
  }
}

static void read_shape(const void *info, tensor_spec *spec) {
  CALL(ELEMENT_TYPE, (const void *, int *), (info, &spec->type));
  CALL(DIMENSIONS_COUNT, (const void *, size_t *), (info, &spec->rank));
  if (spec->rank == 0 || spec->rank > MAX_RANK) fail("model", "a tensor without a first dimension, or with too many");
  CALL(DIMENSIONS, (const void *, int64_t *, size_t), (info, spec->dims, spec->rank));
  spec->row_bytes = element_size(spec->type);
  for (size_t i = 1; i < spec->rank; i++) {
    if (spec->dims[i] < 1) fail("model", "only the first dimension may be open");
    spec->row_bytes *= (size_t)spec->dims[i];
  }
}

static void read_names(void) {
  void *allocator;
  CALL(DEFAULT_ALLOCATOR, (void **), (&allocator));
  CALL(INPUT_COUNT, (const void *, size_t *), (session, &model.inputs));
  CALL(OUTPUT_COUNT, (const void *, size_t *), (session, &model.outputs));
  if (model.inputs > MAX_TENSORS || model.outputs > MAX_TENSORS) fail("model", "too many tensors");
  for (size_t i = 0; i < model.inputs; i++) {
    void *type;
    const void *info;
    CALL(INPUT_NAME, (const void *, size_t, void *, char **), (session, i, allocator, &model.input[i].name));
    CALL(INPUT_TYPE_INFO, (const void *, size_t, void **), (session, i, &type));
    CALL(CAST_TYPE_INFO, (const void *, const void **), (type, &info));
    read_shape(info, &model.input[i]);
    model.input_names[i] = model.input[i].name;
    ((release_fn)table[RELEASE_TYPE_INFO])(type);
  }
  for (size_t i = 0; i < model.outputs; i++) {
    CALL(OUTPUT_NAME, (const void *, size_t, void *, char **), (session, i, allocator, &model.output[i].name));
    model.output_names[i] = model.output[i].name;
  }
}

/* Rows of input that the driver gave: each row's inputs in the model's order, rows one after the other. */
static struct { unsigned char *data; size_t row_bytes; int64_t count; } given;

static void read_rows(const char *path) {
  for (size_t i = 0; i < model.inputs; i++) given.row_bytes += model.input[i].row_bytes;
  FILE *file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) fail("rows", "cannot be read");
  long bytes = ftell(file);
  if (bytes <= 0 || (size_t)bytes % given.row_bytes != 0) fail("rows", "not a whole number of the model's rows");
  given.count = (int64_t)((size_t)bytes / given.row_bytes);
  given.data = malloc((size_t)bytes);
  if (given.data == NULL) fail("memory", "exhausted");
  rewind(file);
  if (fread(given.data, 1, (size_t)bytes, file) != (size_t)bytes) fail("rows", "cannot be read");
  fclose(file);
}

/* One input of so many of the given rows, from the first on and around. */
static void copy_rows(size_t input, unsigned char *to, int64_t rows, int64_t first) {
  size_t bytes = model.input[input].row_bytes, before = 0;
  for (size_t i = 0; i < input; i++) before += model.input[i].row_bytes;
  for (int64_t row = 0; row < rows; row++)
    memcpy(to + (size_t)row * bytes, given.data + (size_t)((first + row) % given.count) * given.row_bytes + before, bytes);
}

static void *aligned(size_t bytes) {
  void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (p == NULL) fail("memory", "exhausted");
  memset(p, 0, bytes);
  return p;
}

static void *value_over(const tensor_spec *spec, void *data, int64_t rows) {
  int64_t dims[MAX_RANK];
  memcpy(dims, spec->dims, sizeof dims);
  dims[0] = rows;
  void *value;
  check(create_tensor(memory_info, data, spec->row_bytes * (size_t)rows, dims, spec->rank, spec->type, &value), "create a tensor");
  return value;
}

static void create_inputs(tensors *t, int64_t rows, int64_t first) {
  memset(t, 0, sizeof *t);
  for (size_t i = 0; i < model.inputs; i++) {
    t->input_data[i] = aligned(model.input[i].row_bytes * (size_t)rows);
    copy_rows(i, t->input_data[i], rows, first);
    t->input[i] = value_over(&model.input[i], t->input_data[i], rows);
  }
}

/* One call tells the outputs' types and shapes, symbolic dimensions resolved. */
static void read_outputs(void) {
  tensors t;
  create_inputs(&t, 1, 0);
  check(run(session, NULL, model.input_names, t.input, model.inputs, model.output_names, model.outputs, t.output), "first run");
  for (size_t i = 0; i < model.outputs; i++) {
    void *info;
    CALL(TYPE_AND_SHAPE, (const void *, void **), (t.output[i], &info));
    read_shape(info, &model.output[i]);
    ((release_fn)table[RELEASE_SHAPE_INFO])(info);
  }
  tensors_free(&t);
}

static void *create_options(void) {
  void *options;
  CALL(CREATE_SESSION_OPTIONS, (void **), (&options));
  CALL(SET_INTRA_OP, (void *, int), (options, 1));
  CALL(SET_INTER_OP, (void *, int), (options, 1));
  CALL(SET_EXECUTION_MODE, (void *, int), (options, 0));
  CALL(SET_GRAPH_LEVEL, (void *, int), (options, 99));
  CALL(ADD_CONFIG_ENTRY, (void *, const char *, const char *), (options, "session.intra_op.allow_spinning", "0"));
  return options;
}

void ort_open(const char *library, const char *path, const char *rows) {
  setenv("ORT_DISABLE_TELEMETRY", "1", 1); /* 1.29 and later start a telemetry thread otherwise */
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) fail("library", dlerror());
  const api_base *(*get_base)(void);
  *(void **)&get_base = dlsym(handle, "OrtGetApiBase"); /* the way POSIX shows */
  if (get_base == NULL) fail("library", "it has no OrtGetApiBase");
  base = get_base();
  table = base->get_api(API_VERSION);
  if (table == NULL) fail("library", "older than 1.22");
  run = (run_fn)table[RUN];
  create_tensor = (create_tensor_fn)table[CREATE_TENSOR];
  tensor_data = (tensor_data_fn)table[TENSOR_DATA];
  release_value = (release_fn)table[RELEASE_VALUE];

  void *env;
  CALL(CREATE_ENV, (int, const char *, void **), (3, "og_plain", &env));
  CALL(CREATE_SESSION, (const void *, const char *, const void *, void **), (env, path, create_options(), &session));
  CALL(CREATE_CPU_MEMORY_INFO, (int, int, void **), (1, 0, &memory_info));
  read_names();
  read_rows(rows);
  read_outputs();
}

const char *ort_version(void) { return base->get_version(); }

int64_t ort_rows(void) { return given.count; }

void tensors_create(tensors *t, int64_t rows, int64_t first) {
  create_inputs(t, rows, first);
  for (size_t i = 0; i < model.outputs; i++) {
    t->output_data[i] = aligned(model.output[i].row_bytes * (size_t)rows);
    t->output[i] = value_over(&model.output[i], t->output_data[i], rows);
  }
}

void tensors_free(tensors *t) {
  for (size_t i = 0; i < MAX_TENSORS; i++) {
    if (t->input[i] != NULL) release_value(t->input[i]);
    if (t->output[i] != NULL) release_value(t->output[i]);
    free(t->input_data[i]);
    free(t->output_data[i]);
  }
  memset(t, 0, sizeof *t);
}

void ort_run(tensors *t) {
  check(run(session, NULL, model.input_names, t->input, model.inputs, model.output_names, model.outputs, t->output), "run");
}

void ort_run_fresh(const tensors *data) {
  void *inputs[MAX_TENSORS], *outputs[MAX_TENSORS] = {0};
  for (size_t i = 0; i < model.inputs; i++) inputs[i] = value_over(&model.input[i], data->input_data[i], 1);
  check(run(session, NULL, model.input_names, inputs, model.inputs, model.output_names, model.outputs, outputs), "run");
  for (size_t i = 0; i < model.outputs; i++) {
    void *bytes;
    check(tensor_data(outputs[i], &bytes), "read an output");
    memcpy(data->output_data[i], bytes, model.output[i].row_bytes);
    release_value(outputs[i]);
  }
  for (size_t i = 0; i < model.inputs; i++) release_value(inputs[i]);
}

/*
 * As much of ONNX Runtime's C API as the baselines need, by table position (the positions never change between versions).
 * One session serves every thread; a tensor set belongs to one thread. Every error ends the program with its text on stderr:
 * a baseline that goes on after an error measures nothing.
 */
#ifndef OG_ORT_H
#define OG_ORT_H

#include <stddef.h>
#include <stdint.h>

enum { MAX_TENSORS = 8, MAX_RANK = 8 };

typedef struct {
  char *name;
  int type;                /* ONNXTensorElementDataType */
  size_t rank;
  int64_t dims[MAX_RANK];  /* first dimension: rows, set per tensor */
  size_t row_bytes;
} tensor_spec;

typedef struct {
  size_t inputs, outputs;
  tensor_spec input[MAX_TENSORS], output[MAX_TENSORS];
  const char *input_names[MAX_TENSORS], *output_names[MAX_TENSORS];
} model_spec;

/* Inputs and outputs of one batch size in memory aligned to 64 bytes, with the values over them. */
typedef struct {
  void *input_data[MAX_TENSORS], *output_data[MAX_TENSORS];
  void *input[MAX_TENSORS], *output[MAX_TENSORS];
} tensors;

/* Loads the library, creates the session with one intra-op thread and the same options as the engine, reads the model's tensors and
   the file of input rows. */
void ort_open(const char *library, const char *model, const char *rows);
const char *ort_version(void);
int64_t ort_rows(void); /* how many were given */

/* Over so many of the given rows, from the first on; around when there are fewer. */
void tensors_create(tensors *t, int64_t rows, int64_t first);
void tensors_free(tensors *t);

/* One call over prebuilt values. */
void ort_run(tensors *t);

/* One call of one row as an application writes it: input values made over the caller's data, outputs allocated by the library,
   read, everything released. */
void ort_run_fresh(const tensors *data);

#endif

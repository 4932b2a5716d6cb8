/* Failing with a text that names what was wrong. */
#ifndef OGK_ERROR_H
#define OGK_ERROR_H

#include "og_kernels.h"

/* Returns status; the text goes to error where the caller wants one. */
ogk_status ogk_fail(ogk_error *error, ogk_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif

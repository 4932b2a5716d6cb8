#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

og_status og_fail(og_error *error, og_status status, int os_error, const char *format, ...)
{
    if (error == NULL) return status;

    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);

    error->os_error = os_error;
    if (os_error != 0 && length >= 0 && (size_t)length < sizeof error->text) {
        const char *name = strerrordesc_np(os_error); /* static text, unlike strerror safe in every thread */
        snprintf(error->text + length, sizeof error->text - (size_t)length, ": %s", name != NULL ? name : "unknown error");
    }
    return status;
}

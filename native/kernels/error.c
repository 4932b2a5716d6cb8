#include "error.h"

#include <stdarg.h>
#include <stdio.h>

ogk_status ogk_fail(ogk_error *error, ogk_status status, const char *format, ...)
{
    if (error == NULL) return status;
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    if (written < 0) error->text[0] = 0;
    error->os_error = 0;
    return status;
}

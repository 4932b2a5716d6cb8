/* Statuses inside are exceptions of one type; the boundary of each entry turns every exception into a status and a text. */
#ifndef OG_TORCH_FAULT_H
#define OG_TORCH_FAULT_H

#include <exception>
#include <string>
#include <utility>

#include "og_torch.h"

namespace ogt {

class fault final : public std::exception {
public:
    fault(ogt_status status, std::string text, int os_error = 0) : status_(status), os_error_(os_error), text_(std::move(text)) {}

    ogt_status status() const noexcept { return status_; }
    int os_error() const noexcept { return os_error_; }
    const char *what() const noexcept override { return text_.c_str(); }

private:
    ogt_status status_;
    int os_error_;
    std::string text_;
};

/* Writes an error where there is one to write to. A text that is too long loses its beginning: libtorch says what happened last. */
void write_error(ogt_error *error, int os_error, const char *text) noexcept;

/* The status of the exception that is being handled, its text written. fallback: for exceptions that say nothing of themselves. */
ogt_status from_current_exception(ogt_status fallback, ogt_error *error) noexcept;

/* What the exception that is being handled says, without a backtrace. */
std::string text_of_current_exception();

/* Whether a message of libtorch speaks of memory that could not be had. */
bool speaks_of_memory(const std::string &text);

/* How often OGT_OUT_OF_MEMORY was answered. */
uint64_t out_of_memory_count() noexcept;

/* Runs an entry's body; nothing leaves it. */
template <typename Body> ogt_status guarded(ogt_error *error, ogt_status fallback, Body &&body) noexcept
{
    try {
        body();
        return OGT_OK;
    } catch (...) {
        return from_current_exception(fallback, error);
    }
}

inline void require(bool given, const char *name)
{
    if (!given) throw fault(OGT_NULL_ARGUMENT, std::string(name) + " is null");
}

} // namespace ogt

#endif

#include "fault.h"

#include <atomic>
#include <cstring>
#include <new>

#include <c10/util/Exception.h>

namespace ogt {

namespace {

std::atomic<uint64_t> memory_failures{0};

bool continues_character(char byte)
{
    return (static_cast<unsigned char>(byte) & 0xC0u) == 0x80u;
}

ogt_status count(ogt_status status)
{
    if (status == OGT_OUT_OF_MEMORY) memory_failures.fetch_add(1, std::memory_order_relaxed);
    return status;
}

} // namespace

std::string text_of_current_exception()
{
    try {
        throw;
    } catch (const c10::Error &raised) {
        return raised.what_without_backtrace();
    } catch (const std::exception &raised) {
        return raised.what();
    } catch (...) {
        return "an exception of unknown type";
    }
}

uint64_t out_of_memory_count() noexcept
{
    return memory_failures.load(std::memory_order_relaxed);
}

bool speaks_of_memory(const std::string &text)
{
    for (const char *phrase : {"DefaultCPUAllocator", "out of memory", "std::bad_alloc", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED"})
        if (text.find(phrase) != std::string::npos) return true;
    return false;
}

void write_error(ogt_error *error, int os_error, const char *text) noexcept
{
    if (error == nullptr) return;
    error->os_error = os_error;
    const size_t room = sizeof error->text - 1;
    size_t length = std::strlen(text);
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == ' ')) length--;
    if (length <= room) {
        std::memcpy(error->text, text, length);
        error->text[length] = 0;
        return;
    }
    const char dots[] = "... ";
    size_t begin = length - (room - (sizeof dots - 1));
    while (begin < length && continues_character(text[begin])) begin++;
    std::memcpy(error->text, dots, sizeof dots - 1);
    std::memcpy(error->text + sizeof dots - 1, text + begin, length - begin);
    error->text[sizeof dots - 1 + length - begin] = 0;
}

ogt_status from_current_exception(ogt_status fallback, ogt_error *error) noexcept
{
    try {
        throw;
    } catch (const fault &known) {
        write_error(error, known.os_error(), known.what());
        return count(known.status());
    } catch (const std::bad_alloc &) {
        write_error(error, 0, "out of memory");
        return count(OGT_OUT_OF_MEMORY);
    } catch (const c10::Error &raised) {
        const char *text = raised.what_without_backtrace();
        write_error(error, 0, text);
        return count(speaks_of_memory(text) ? OGT_OUT_OF_MEMORY : fallback);
    } catch (const std::exception &raised) {
        write_error(error, 0, raised.what());
        return count(speaks_of_memory(raised.what()) ? OGT_OUT_OF_MEMORY : fallback);
    } catch (...) {
        write_error(error, 0, "an exception of unknown type");
        return fallback;
    }
}

} // namespace ogt

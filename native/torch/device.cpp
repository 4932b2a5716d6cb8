/* Devices and their memory. */
#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>

#include <sched.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "cuda.h"
#include "fault.h"
#include "process.h"

namespace ogt {

namespace {

void copy_text(char *to, size_t capacity, const std::string &text)
{
    const size_t length = std::min(text.size(), capacity - 1);
    std::memcpy(to, text.data(), length);
    to[length] = 0;
}

std::string processor_name()
{
    std::ifstream facts("/proc/cpuinfo");
    for (std::string line; std::getline(facts, line);) {
        if (line.rfind("model name", 0) != 0) continue;
        const size_t colon = line.find(": ");
        if (colon != std::string::npos) return line.substr(colon + 2);
    }
    return "unknown processor";
}

void describe_cpu(ogt_device &device)
{
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    device.multiprocessors = sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? static_cast<uint32_t>(CPU_COUNT(&allowed)) : 1;
    struct sysinfo facts = {};
    if (sysinfo(&facts) == 0) {
        device.total_bytes = static_cast<uint64_t>(facts.totalram) * facts.mem_unit;
        device.free_bytes = static_cast<uint64_t>(facts.freeram + facts.bufferram) * facts.mem_unit;
    }
    copy_text(device.name, sizeof device.name, processor_name());
}

uint64_t resident_bytes()
{
    std::ifstream facts("/proc/self/statm");
    uint64_t total = 0, resident = 0;
    facts >> total >> resident;
    return facts ? resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

void check_kind(uint32_t kind)
{
    if (kind != OGT_CPU && kind != OGT_CUDA) throw fault(OGT_OUT_OF_RANGE, "no device kind has number " + std::to_string(kind));
}

/* Throws OGT_DEVICE_MISSING with the reason. */
void require_device(uint32_t kind, int32_t index)
{
    check_kind(kind);
    const std::string reason = kind == OGT_CUDA ? cuda::missing(index) : index == 0 ? "" : "there is one CPU, of number 0";
    if (!reason.empty()) throw fault(OGT_DEVICE_MISSING, reason);
}

} // namespace

} // namespace ogt

using namespace ogt;

extern "C" ogt_status ogt_device_count(uint32_t kind, uint32_t *count, ogt_error *error)
{
    return guarded(error, OGT_SYSTEM, [&] {
        require_started();
        require(count != nullptr, "count");
        check_kind(kind);
        *count = kind == OGT_CPU ? 1 : cuda::count();
    });
}

extern "C" ogt_status ogt_device_get(uint32_t kind, int32_t index, ogt_device *device, ogt_error *error)
{
    return guarded(error, OGT_SYSTEM, [&] {
        require_started();
        require(device != nullptr, "device");
        *device = {};
        device->kind = kind;
        device->index = index;
        try {
            require_device(kind, index);
            if (kind == OGT_CUDA) cuda::describe(index, *device);
            else describe_cpu(*device);
        } catch (const fault &missing) {
            copy_text(device->reason, sizeof device->reason, missing.what());
            throw;
        }
    });
}

extern "C" ogt_status ogt_memory_get(uint32_t kind, int32_t index, ogt_memory *memory, ogt_error *error)
{
    return guarded(error, OGT_SYSTEM, [&] {
        require_started();
        require(memory != nullptr, "memory");
        require_device(kind, index);
        *memory = {};
        if (kind == OGT_CUDA) cuda::memory(index, *memory);
        memory->resident = resident_bytes();
        memory->out_of_memory = out_of_memory_count();
    });
}

extern "C" ogt_status ogt_memory_reset_peak(uint32_t kind, int32_t index, ogt_error *error)
{
    return guarded(error, OGT_SYSTEM, [&] {
        require_started();
        require_device(kind, index);
        if (kind == OGT_CUDA) cuda::reset_peak(index);
    });
}

extern "C" ogt_status ogt_memory_trim(uint32_t kind, int32_t index, ogt_error *error)
{
    return guarded(error, OGT_SYSTEM, [&] {
        require_started();
        require_device(kind, index);
        if (kind == OGT_CUDA) cuda::trim(index);
    });
}

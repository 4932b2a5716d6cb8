/* The entries of sessions. */
#include "fault.h"
#include "process.h"
#include "session.h"

using namespace ogt;

struct ogt_session {
    session inside;
};

extern "C" ogt_status ogt_session_create(ogt_module *module, ogt_session **created, ogt_error *error)
{
    return guarded(error, OGT_SYSTEM, [&] {
        require_started();
        require(module != nullptr, "module");
        require(created != nullptr, "session");
        *created = nullptr;
        *created = new ogt_session{session(module->loaded)};
    });
}

extern "C" void ogt_session_free(ogt_session *freed)
{
    delete freed;
}

extern "C" ogt_status ogt_run(ogt_session *of, const ogt_tensor *inputs, uint32_t input_count, ogt_tensor *outputs, uint32_t output_count,
                              ogt_error *error)
{
    return guarded(error, OGT_RAISED, [&] {
        require(of != nullptr, "session");
        of->inside.run(inputs, input_count, outputs, output_count);
    });
}

extern "C" ogt_status ogt_outputs(ogt_session *of, ogt_tensor *outputs, uint32_t output_count, ogt_error *error)
{
    return guarded(error, OGT_SYSTEM, [&] {
        require(of != nullptr, "session");
        of->inside.publish_again(outputs, output_count);
    });
}

extern "C" ogt_status ogt_session_terminate(ogt_session *of)
{
    if (of == nullptr) return OGT_NULL_ARGUMENT;
    of->inside.stop(true);
    return OGT_OK;
}

extern "C" ogt_status ogt_session_resume(ogt_session *of)
{
    if (of == nullptr) return OGT_NULL_ARGUMENT;
    of->inside.stop(false);
    return OGT_OK;
}

extern "C" ogt_status ogt_session_measure(ogt_session *of, uint32_t enabled)
{
    if (of == nullptr) return OGT_NULL_ARGUMENT;
    of->inside.measure(enabled != 0);
    return OGT_OK;
}

extern "C" ogt_status ogt_session_times(const ogt_session *of, ogt_times *times, ogt_error *error)
{
    return guarded(error, OGT_SYSTEM, [&] {
        require(of != nullptr, "session");
        require(times != nullptr, "times");
        *times = of->inside.times();
    });
}

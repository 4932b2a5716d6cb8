/* What is set once for the process. */
#ifndef OG_TORCH_PROCESS_H
#define OG_TORCH_PROCESS_H

#include <string>

#include "og_torch.h"

namespace ogt {

/* Throws OGT_STATE before ogt_start. */
void require_started();

/* Gives the calling thread its libtorch threads and floating-point mode. Cheap when they are as they should be. */
void prepare_thread(uint32_t threads);

/* BLAS that answers libtorch's products: name, version, the core it chose, threading; the file it is in. */
std::string blas_text();
std::string blas_path();

/* Sentences on what makes this process slow or irreproducible. */
std::string warning_text();

} // namespace ogt

#endif

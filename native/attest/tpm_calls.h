/* How functions of the TSS2 libraries are called that were loaded at run time. Include after tpm.h; a variable tpm is in scope. */
#ifndef OG_ATTEST_TPM_CALLS_H
#define OG_ATTEST_TPM_CALLS_H

#include <dlfcn.h>

/* A function of a library; the header gives its type, so a call is checked as if it were linked. */
#define CALL(library, name) (*(__typeof__(&name) *)&(void *){dlsym(library, #name)})
#define ESYS(name) CALL(tpm->esys_library, name)

#endif

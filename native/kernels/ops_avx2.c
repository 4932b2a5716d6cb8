#define OGK_LANES 2
#define OGK_OPS_TABLE ogk_ops_avx2
#include "ops_table.h"

#define OGK_LANES 3
#define OGK_OPS_TABLE ogk_ops_avx512
#include "ops_table.h"

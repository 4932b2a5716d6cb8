#define OGK_LANES 1
#define OGK_OPS_TABLE ogk_ops_scalar
#include "ops_table.h"
